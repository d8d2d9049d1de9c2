// SPDX-License-Identifier: Apache-2.0
#include "cli/read_bench_store.hpp"

#include "actors/engine.hpp"
#include "cli/bench.hpp"
#include "runtime/segment_merge.hpp"

#include <filesystem>
#include <future>

#include <fcntl.h>
#include <unistd.h>

namespace torpor {

result<read_bench_store> read_bench_store::open(const options& how) {
  auto counts = std::make_shared<read_counts>();
  auto world = environment::real();
  world.disk = std::make_shared<counting_disk>(std::move(world.disk), counts);
  return validate(how)
    .and_then([&](options valid) {
      return store::open(std::move(valid), std::move(world), access::write);
    })
    .and_then([](auto opened) { return engine::start(std::move(opened), {}); })
    .and_then([&](auto started) -> result<read_bench_store> {
      read_bench_store made{std::move(started), std::move(counts)};
      return made.settle()
        .and_then([&] { return made.open_segments(); })
        .map([&] { return std::move(made); });
    });
}

read_bench_store::~read_bench_store() {
  if (!engine_)
    return;
  std::promise<void> ended;
  engine_->stop([&ended] { ended.set_value(); });
  ended.get_future().wait();
  engine_->join();
}

result<void> read_bench_store::settle() const {
  const auto& opened = engine_->opened();
  for (;;) {
    const auto state = opened.records->state();
    if (!state)
      return tl::unexpected{state.error()};
    if (choose_merge(state->segments, opened.journal.file_bytes).empty())
      return {};
    if (!wait_for(std::chrono::milliseconds{50}))
      return fail(errc::shut_down, "interrupted");
  }
}

result<void> read_bench_store::open_segments() const {
  std::promise<std::shared_ptr<const segment_list>> known;
  engine_->ask(0, table_task{[&known](stream_table& table) {
                 known.set_value(table.segments());
               }});
  const auto list = known.get_future().get();
  for (std::size_t at = 0; at < list->size(); ++at)
    if (const auto opened = list->open(at); !opened)
      return tl::unexpected{opened.error()};
  return {};
}

void drop_page_cache(const std::string& data_dir) {
  for (const auto& directory :
       {journal_directory(data_dir), segment_directory(data_dir),
        catalog_directory(data_dir)}) {
    std::error_code failed;
    for (const auto& each :
         std::filesystem::directory_iterator{directory, failed}) {
      const auto file = ::open(each.path().c_str(), O_RDONLY | O_CLOEXEC);
      if (file < 0)
        continue;
      ::posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
      ::close(file);
    }
  }
}

} // namespace torpor
