// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/batch_cursor.hpp"
#include "server/io_loop.hpp"
#include "server/stream_store.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace torpor::test {

/// A store in memory that keeps what it is given, without time, and fails when
/// it is told. Threads: those of its loop.
class model_store final : public stream_store {
public:
  struct kept_stream {
    stream_info info;
    std::vector<std::string> entries;
  };

  explicit model_store(io_loop& loop) : loop_{loop} {}

  /// What the next write fails with.
  void fail_next(errc code) noexcept { failure_ = code; }

  [[nodiscard]] const std::map<std::string, kept_stream>& streams() const {
    return streams_;
  }

  std::uint32_t shard(std::string_view name) const override {
    return static_cast<std::uint32_t>(name.size() % 2);
  }
  std::uint32_t shards() const override { return 2; }

  void write(std::uint32_t, std::unique_ptr<write_batch> batch,
             write_done done) override {
    batch_cursor cursor{*batch};
    for (std::size_t i = 0; i < batch->size(); ++i) {
      const auto request = cursor.next(i);
      auto outcome = take(request);
      if (outcome.code != errc{}) {
        batch->hold(2);
        static_cast<void>(batch->fail(i, {outcome.code, "why"}));
      }
      batch->promise(i, outcome);
    }
    loop_.post([done = std::move(done),
                kept = std::make_shared<std::unique_ptr<write_batch>>(
                  std::move(batch))] { done(std::move(*kept)); });
    wake();
  }

  void read(std::unique_ptr<read_request> request, read_done done) override {
    if (!answers(*request))
      waiting_.push_back({std::move(request), std::move(done)});
    else
      answer(*request, std::move(done));
  }

  void cancel(stream_id, std::uint64_t ticket) override {
    for (auto& [request, done] : waiting_)
      if (request->ticket == ticket) {
        request->options.wait = false;
        break;
      }
    wake();
  }

  void info(std::string name, info_done done) override {
    const auto found = streams_.find(name);
    auto told = found == streams_.end() ? missing()
                                        : result<stream_info>{
                                          found->second.info};
    loop_.post([done = std::move(done), told = std::move(told)] {
      done(told);
    });
  }

  void fork(fork_request request, fork_done done) override {
    auto outcome = take_fork(request);
    loop_.post([done = std::move(done), outcome = std::move(outcome)] {
      done(outcome);
    });
  }

private:
  struct waiting_read {
    std::unique_ptr<read_request> request;
    read_done done;
  };

  static tl::unexpected<error> missing() {
    return fail(errc::not_found, "no stream of that name");
  }

  kept_stream* find(stream_id id, std::string_view name) {
    for (auto& [each, stream] : streams_)
      if (id == stream_id{} ? each == name : stream.info.id == id)
        return &stream;
    return nullptr;
  }

  kept_stream& make(std::string_view name, const create_options& how) {
    auto& made = streams_[std::string{name}];
    made.info.name = name;
    made.info.id = stream_id{++ids_ << 8};
    made.info.content_type = how.content_type;
    made.info.closed = how.closes;
    made.info.origin = how.origin;
    made.info.retention = made.info.keeps = how.keep;
    return made;
  }

  static write_outcome add(kept_stream& to, const parsed_request& request) {
    auto rest = as_text(request.bytes);
    for (std::uint32_t i = 0; i < request.head->entries; ++i) {
      rest.remove_prefix(request.sizes[i].properties);
      to.entries.emplace_back(rest.substr(0, request.sizes[i].payload));
      rest.remove_prefix(request.sizes[i].payload);
    }
    write_outcome outcome;
    outcome.stream = to.info.id;
    outcome.first = to.info.next;
    outcome.count = request.head->entries;
    outcome.producer = request.producer.number;
    to.info.next = sequence{to.entries.size()};
    to.info.closed = outcome.closed = to.info.closed || request.head->closes;
    return outcome;
  }

  static write_outcome failed(errc code, const kept_stream* stream = nullptr) {
    write_outcome outcome;
    outcome.code = code;
    if (stream != nullptr) {
      outcome.first = stream->info.next;
      outcome.closed = stream->info.closed;
    }
    return outcome;
  }

  write_outcome take(const parsed_request& request) {
    const auto& head = *request.head;
    auto* const stream = find(head.id, request.name);
    if (const auto code = std::exchange(failure_, errc{}); code != errc{})
      return failed(code, stream);
    if (head.kind == write_kind::create)
      return create(request, stream);
    if (stream == nullptr)
      return failed(errc::not_found);
    if (head.kind == write_kind::remove) {
      streams_.erase(stream->info.name);
      return {};
    }
    if (stream->info.closed)
      return failed(errc::closed, stream);
    if (!request.content_type.empty()
        && request.content_type != stream->info.content_type)
      return failed(errc::mismatch, stream);
    if (head.has_expected && head.expected != stream->info.next)
      return failed(errc::conflict, stream);
    return add(*stream, request);
  }

  write_outcome create(const parsed_request& request,
                       const kept_stream* stream) {
    if (stream != nullptr)
      return failed(errc::already_exists);
    create_options how;
    how.content_type = request.content_type;
    how.keep = request.retention;
    how.closes = request.head->closes;
    return add(make(request.name, how), request);
  }

  result<write_outcome> take_fork(fork_request& request) {
    const auto* const source = find(request.source, request.source_name);
    if (source == nullptr)
      return missing();
    if (raw(request.at) > source->entries.size())
      return torpor::fail(errc::out_of_range, "why");
    if (streams_.contains(request.name))
      return torpor::fail(errc::already_exists, "why");
    auto entries = source->entries;
    entries.resize(raw(request.at));
    auto& made = make(request.name, request.how);
    made.info.origin.source = request.source;
    made.info.origin.at = request.at;
    write_outcome outcome;
    outcome.stream = made.info.id;
    outcome.first = request.at;
    outcome.count = static_cast<std::uint32_t>(request.entries.size());
    entries.insert(entries.end(), request.entries.begin(),
                   request.entries.end());
    made.entries = std::move(entries);
    made.info.next = sequence{made.entries.size()};
    return outcome;
  }

  std::uint64_t begin_of(const read_request& request,
                         const kept_stream& stream) const {
    if (request.options.tail)
      return stream.entries.size();
    return request.options.from == read_options::oldest
             ? 0
             : raw(request.options.from);
  }

  bool answers(const read_request& request) {
    const auto* const stream = find(request.stream, request.name);
    return !request.options.wait || stream == nullptr || stream->info.closed
           || begin_of(request, *stream) != stream->entries.size();
  }

  void answer(const read_request& request, read_done done) {
    auto page = std::make_shared<result<read_page>>(page_of(request));
    loop_.post([done = std::move(done), page = std::move(page)] {
      done(std::move(*page));
    });
  }

  result<read_page> page_of(const read_request& request) {
    const auto* const stream = find(request.stream, request.name);
    if (stream == nullptr)
      return missing();
    const auto begin = begin_of(request, *stream);
    if (begin > stream->entries.size())
      return torpor::fail(errc::out_of_range, "why");
    read_page page;
    page.stream = stream->info.id;
    page.next = stream->info.next;
    page.closed = stream->info.closed;
    page.content_type = stream->info.content_type;
    std::uint64_t bytes = 0;
    for (auto at = begin;
         at < stream->entries.size() && bytes < request.options.bytes_max
         && page.entries.size() < request.options.count_max;
         ++at) {
      const auto payload = as_bytes(stream->entries[at]);
      auto& kept = page.buffers.emplace_back(
        std::make_unique<std::byte[]>(payload.size()));
      std::copy(payload.begin(), payload.end(), kept.get());
      entry_view entry;
      entry.seq = sequence{at};
      entry.time_ms = 1000;
      entry.payload = {kept.get(), payload.size()};
      page.entries.push_back(entry);
      bytes += payload.size();
    }
    page.next_from = sequence{begin + page.entries.size()};
    return page;
  }

  /// Answers the reads that have waited for what there is now.
  void wake() {
    for (auto& [request, done] : std::exchange(waiting_, {}))
      if (answers(*request))
        answer(*request, std::move(done));
      else
        waiting_.push_back({std::move(request), std::move(done)});
  }

  io_loop& loop_;
  std::map<std::string, kept_stream> streams_;
  std::vector<waiting_read> waiting_;
  std::uint64_t ids_ = 0;
  errc failure_{};
};

} // namespace torpor::test
