// SPDX-License-Identifier: Apache-2.0
#include "tests/system/judgement.hpp"

#include "tests/engine/inspection.hpp"
#include "tests/system/request_log.hpp"
#include "tests/system/workload.hpp"
#include "torpor/stream.hpp"

#include "actors/engine.hpp"

#include <future>
#include <memory>
#include <utility>

namespace torpor::test {

namespace {

class promised_page final : public read_sink {
public:
  explicit promised_page(std::promise<result<read_page>> answer)
    : answer_(std::move(answer)) {}
  void done(result<read_page> page) override {
    answer_.set_value(std::move(page));
  }

private:
  std::promise<result<read_page>> answer_;
};

class open_store final : public inspected {
public:
  explicit open_store(runtime& store) : store_(store) {}

  std::vector<stream_info> streams() override {
    std::vector<stream_info> all;
    const auto found = store_.list("", "", 100'000).get();
    for (const auto& [name, id] : found.value())
      all.push_back(store_.stream(name).info().get().value());
    return all;
  }

  result<read_page> read(stream_ref stream,
                         const read_options& wanted) override {
    std::promise<result<read_page>> answer;
    auto coming = answer.get_future();
    auto request = std::make_unique<read_request>();
    request->stream = stream.id;
    request->name = stream.name;
    request->options = wanted;
    request->sink = std::make_unique<promised_page>(std::move(answer));
    store_.engine()->submit(std::move(request));
    return coming.get();
  }

private:
  runtime& store_;
};

} // namespace

std::string judge(runtime& store, history& promised) {
  open_store seen{store};
  return inspect(seen, promised);
}

std::string judge(const std::string& directory, const std::string& log) {
  auto promised = request_log::read(log);
  for (auto times = 0; times < 2; ++times) {
    auto store = runtime::open(busy_options(directory));
    if (!store)
      return "does not open: " + to_string(store.error());
    if (auto wrong = judge(*store, promised); !wrong.empty())
      return wrong;
  }
  return {};
}

} // namespace torpor::test
