// SPDX-License-Identifier: Apache-2.0
#include "cli/inspected_store.hpp"

#include "cli/open_store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>

namespace torpor {

namespace {

/// Keeps the answer of a read that is over before the call returns.
class kept_answer final : public read_sink {
public:
  explicit kept_answer(std::optional<result<read_page>>& into) : into_(into) {}
  void done(result<read_page> page) override { into_ = std::move(page); }

private:
  std::optional<result<read_page>>& into_;
};

} // namespace

inspected_store::inspected_store(std::unique_ptr<store> opened)
  : store_(std::move(opened)),
    reader_(*store_->world.disk, store_->journal.directory) {}

result<inspected_store> inspected_store::open(const std::string& data_dir) {
  options chosen;
  chosen.data_dir = data_dir;
  chosen.pool.shards = 1; // One table: its lists need no merging.
  return check_store_exists(data_dir)
    .and_then([&] { return validate(std::move(chosen)); })
    .and_then([](options valid) {
      return store::open(std::move(valid), environment::real(),
                         access::inspect);
    })
    .map([](auto opened) { return inspected_store{std::move(opened)}; });
}

result<std::vector<std::pair<std::string, stream_id>>>
inspected_store::list(std::string_view prefix, std::string_view after,
                      std::size_t count_max) {
  return table().records().list(prefix, after, count_max, listing::living);
}

result<std::vector<std::pair<std::string, stream_id>>>
inspected_store::list_all(std::string_view after, std::size_t count_max) {
  return table().records().list({}, after, count_max);
}

/// What is not found in a damaged store may be in what is lost.
error inspected_store::doubted(error why) const {
  const auto& damages = store_->scan.damages;
  if (why.code != errc::not_found || damages.empty())
    return why;
  const auto& first = damages.front();
  return {errc::corrupt,
          fmt::format("{}, or it is in what is damaged: '{}' at byte {}: {}; run "
                      "'torpor verify'",
                      why.context, first.file, first.offset, first.text)};
}

result<stream_info> inspected_store::info(stream_ref stream) {
  auto known = table().info(stream).map_error(
    [this](error why) { return doubted(std::move(why)); });
  for (auto at = known ? known->id : stream_id{}; at != stream_id{};) {
    const auto begin = table().begin(at);
    if (!begin)
      return tl::unexpected{begin.error()};
    known->first = std::min(known->first, begin->first);
    at = begin->source;
  }
  return known;
}

result<std::optional<own_entries>> inspected_store::own(stream_id id) {
  auto& records = table().records();
  return records.find(id).map([&](auto row) -> std::optional<own_entries> {
    if (row == record_table::none)
      return std::nullopt;
    const auto& record = records[row].record;
    return own_entries{id, record.name, record.first, record.next};
  });
}

result<read_page> inspected_store::read(stream_ref stream,
                                        const read_options& options) {
  std::optional<result<read_page>> answer;
  auto request = std::make_unique<read_request>();
  request->stream = stream.id;
  request->name = stream.name;
  request->options = options;
  request->options.wait = false;
  request->sink = std::make_unique<kept_answer>(answer);
  while (request) {
    table().read(std::move(request));
    auto& out = table().out();
    for (auto& forward : std::exchange(out.forwards, {}))
      request = std::move(forward);
    for (auto& job : std::exchange(out.reads, {}))
      request = run(job, answer);
  }
  return std::move(answer.value()).map_error([this](error why) {
    return doubted(std::move(why));
  });
}

/// Answers a read; if it found nothing of what a fork has inherited, gives it
/// back to go on with the fork's own entries.
std::unique_ptr<read_request>
inspected_store::run(read_job& job, std::optional<result<read_page>>& answer) {
  auto page = reader_.run(job);
  const auto* const whom = job.request->heir.get();
  if (page && whom != nullptr) {
    auto inherited = for_heir(std::move(*page), *whom);
    if (!inherited)
      return to_heir(std::move(job.request));
    page = std::move(*inherited);
  }
  answer = std::move(page);
  return nullptr;
}

std::vector<indexed_block> inspected_store::blocks(stream_id id,
                                                   sequence from) const {
  auto& table = this->table();
  const auto row = table.records().find(id);
  if (!row || *row == record_table::none)
    return {};
  return table.index().find(table.records()[*row].blocks, id, from,
                            std::numeric_limits<std::uint64_t>::max());
}

result<read_page> inspected_store::read_block(const own_entries& stream,
                                              const indexed_block& block,
                                              sequence next) {
  read_job job;
  job.request = std::make_unique<read_request>();
  job.request->options.count_max = std::numeric_limits<std::uint32_t>::max();
  job.request->options.bytes_max = std::numeric_limits<std::uint64_t>::max();
  job.name = stream.name;
  job.blocks.push_back(block);
  job.page.stream = stream.id;
  job.page.next_from = block.first;
  job.page.next = next;
  return reader_.run(job);
}

error inspected_store::explain(const stream_info& stream,
                               const read_options& wanted, error failure) {
  if (failure.code != errc::corrupt || wanted.from_time)
    return failure;
  const auto left = blocks(stream.id, wanted.from);
  const own_entries own{stream.id, stream.name, stream.first, stream.next};
  for (std::size_t i = 0; i < left.size(); ++i) {
    const auto first = left[i].first;
    const auto next = i + 1 < left.size() ? left[i + 1].first : stream.next;
    // The first block may begin before `from`, and then it is the damaged one.
    if (raw(first) <= raw(wanted.from) || !read_block(own, left[i], next))
      continue;
    failure.context += fmt::format("; entries from {0} on can be read with "
                                   "--from {0}",
                                   raw(first));
    break;
  }
  return failure;
}

result<void> inspected_store::whole() const {
  // What others cost is known from the catalog: a read that lacks it says so.
  for (const auto& damage : store_->scan.damages)
    if (damage.fatal)
      return fail(errc::corrupt,
                  fmt::format("the journal is damaged, entries may be missing: "
                              "'{}' at byte {}: {}; 'torpor verify' names it "
                              "all",
                              damage.file, damage.offset, damage.text));
  return {};
}

} // namespace torpor
