// SPDX-License-Identifier: Apache-2.0
#include "server/store_view.hpp"

#include "actors/engine.hpp"

#include <utility>

namespace torpor {

namespace {

class engine_view final : public store_view {
public:
  explicit engine_view(std::shared_ptr<engine> of) : engine_(std::move(of)) {}

  [[nodiscard]] readiness health() const override {
    const auto& journal = engine_->journal_counts();
    if (engine_->stopping())
      return {"stopping", "torpord is stopping; retry when it is back"};
    if (journal.failed)
      return {"failed", "a sync of the journal failed, so writes are refused; "
                        "check the disk, then restart torpord"};
    if (journal.full)
      return {"full", "the journal has no room on the disk of data-dir, so "
                      "appends are refused; they resume by themselves when "
                      "there is, the log says what it lacks"};
    return {};
  }

  [[nodiscard]] histogram_counts commits() const override {
    histogram_counts counts;
    engine_->journal_counts().took.add_to(counts);
    return counts;
  }

  [[nodiscard]] disk_facts disk() const override {
    return look_at_disk(engine_->opened().config.data_dir);
  }

  void stats(std::function<void(const runtime_stats&)> done) override {
    engine_->stats(std::move(done));
  }

  void list(const std::string& prefix, const std::string& after,
            std::size_t count_max,
            std::function<void(result<stream_names>)> done) override {
    list_streams(*engine_, prefix, after, count_max, std::move(done));
  }

  void info(const std::string& name,
            std::function<void(result<stream_info>)> done) override {
    inform(*engine_, {{}, name}, std::move(done));
  }

private:
  std::shared_ptr<engine> engine_;
};

} // namespace

std::unique_ptr<store_view> view_of(std::shared_ptr<engine> engine) {
  return std::make_unique<engine_view>(std::move(engine));
}

} // namespace torpor
