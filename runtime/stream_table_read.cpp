// SPDX-License-Identifier: Apache-2.0
// The part of stream_table that answers readers. Only durable facts are used.
#include "runtime/stream_name.hpp"
#include "runtime/stream_table.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace torpor {

namespace {

tl::unexpected<error> missing(std::string_view called) {
  return fail(errc::not_found,
              fmt::format("stream '{}' does not exist", called));
}

/// A source never ends in front of what its fork begins with, unless the disk
/// has lost what it had acknowledged.
tl::unexpected<error> lost(const stream_record& record, sequence until) {
  return fail(errc::corrupt,
              fmt::format("stream '{}': entries {} to {} cannot be read: they "
                          "are missing; run 'torpor verify'",
                          printable(record.name), raw(record.next),
                          raw(until) - 1));
}

result<void> check(const read_options& wanted) {
  constexpr std::uint32_t count_most = 1'000'000;
  constexpr std::uint64_t bytes_most = 1u << 30;
  if (wanted.count_max == 0 || wanted.count_max > count_most)
    return fail(errc::invalid_argument,
                fmt::format("a read's count is {}, expected 1 to {}",
                            wanted.count_max, count_most));
  if (wanted.bytes_max == 0 || wanted.bytes_max > bytes_most)
    return fail(errc::invalid_argument,
                fmt::format("a read's bytes are {}, expected 1 to {}",
                            wanted.bytes_max, bytes_most));
  return {};
}

} // namespace

void stream_table::read(std::unique_ptr<read_request> request) {
  if (auto valid = check(request->options); !valid)
    return request->sink->done(tl::unexpected{valid.error()});
  auto row = request->stream != stream_id{} ? records_.find(request->stream)
                                            : records_.find(request->name);
  if (!row)
    return request->sink->done(tl::unexpected{row.error()});
  if (*row == record_table::none || records_[*row].unborn
      || (!request->heir && is_gone(*row))) {
    const auto called = request->stream != stream_id{}
                          ? fmt::format("#{}", raw(request->stream))
                          : printable(request->name);
    return request->sink->done(missing(called));
  }
  if (!request->heir) {
    if (is_kept_for_forks(*row))
      return request->sink->done(tl::unexpected{
        buried(printable(records_[*row].record.name))});
    touch(*row);
  }
  start_read(std::move(request), *row);
}

/// Where a read begins. Errors: out_of_range.
result<void> stream_table::find_start(const read_options& wanted,
                                      record_table::row_index row,
                                      read_job& job) const {
  const auto& dormant = records_[row];
  const auto& record = dormant.record;
  if (wanted.from_time) {
    const auto place = index_.find_time(dormant.blocks, dormant.id,
                                        *wanted.from_time);
    job.page.next_from = std::max(place ? place->first : record.next,
                                  record.first);
    // What the index lacks, the segments have.
    job.time_sealed = record.last_ms >= *wanted.from_time
                      && (!place || place->oldest)
                      && raw(job.page.next_from) > raw(record.first);
    return {};
  }
  const auto from = wanted.tail ? record.next
                    : wanted.from == read_options::oldest ? record.first
                                                          : wanted.from;
  if (raw(from) < raw(record.first))
    return fail(errc::out_of_range,
                fmt::format("stream '{}' begins at sequence {}, asked for {}",
                            printable(record.name), raw(record.first),
                            raw(from)));
  if (raw(from) > raw(record.next))
    return fail(errc::out_of_range,
                fmt::format("stream '{}' ends before sequence {}, asked for "
                            "{}",
                            printable(record.name), raw(record.next),
                            raw(from)));
  job.page.next_from = from;
  return {};
}

void stream_table::start_read(std::unique_ptr<read_request> request,
                              record_table::row_index row) {
  const auto& dormant = records_[row];
  const auto& record = dormant.record;
  read_job job;
  if (inherits(*request, row))
    return inherit(std::move(request), row);
  const auto ends_early = request->heir
                          && raw(record.next) < raw(request->heir->until);
  if (ends_early && raw(request->options.from) > raw(record.next)
      && !request->options.from_time)
    return request->sink->done(lost(record, request->heir->until));
  if (auto found = find_start(request->options, row, job); !found)
    return request->sink->done(tl::unexpected{found.error()});
  if (ends_early && job.page.next_from == record.next && !job.time_sealed)
    return request->sink->done(lost(record, request->heir->until));
  job.page.stream = dormant.id;
  job.page.next = record.next;
  job.page.closed = record.closed;
  if (record.settings)
    job.page.content_type = record.settings->content_type;
  if (request->heir && !job.time_sealed
      && raw(job.page.next_from) >= raw(request->heir->until))
    return out_.forwards.push_back(to_heir(std::move(request)));
  if (job.page.next_from == record.next && !job.time_sealed) {
    if (!request->options.wait || record.closed)
      return request->sink->done(std::move(job.page));
    if (stopping_)
      return request->sink->done(
        fail(errc::shut_down, "the runtime is stopping"));
    if (request->ticket != 0)
      tickets_.emplace(request->ticket, raw(dormant.id));
    request->stream = dormant.id;
    request->options.from = record.next; // Wherever it was to begin.
    request->options.tail = false;
    parked_.emplace(raw(dormant.id), std::move(request));
    return;
  }
  // Encoded blocks are larger than their payloads, and none is without an
  // entry: these are enough.
  job.blocks = index_.find(dormant.blocks, dormant.id, job.page.next_from,
                           request->options.bytes_max * 2,
                           request->options.count_max);
  job.sealed_end = job.blocks.empty() ? record.next : job.blocks.front().first;
  job.segments = segments_;
  job.first = record.first;
  job.name = printable(record.name);
  job.request = std::move(request);
  out_.reads.push_back(std::move(job));
}

/// Whether a read of a fork begins with entries that its source has.
bool stream_table::inherits(const read_request& request,
                            record_table::row_index row) const {
  const auto& wanted = request.options;
  if (wanted.tail || !has_inherited(row))
    return false;
  const auto first = raw(records_[row].record.first);
  if (wanted.from_time) // The source knows first where that is.
    return raw(request.joint) < first;
  return wanted.from == read_options::oldest || raw(wanted.from) < first;
}

/// Has the source of a fork read what the fork has from there.
void stream_table::inherit(std::unique_ptr<read_request> request,
                           record_table::row_index row) {
  const auto& record = records_[row].record;
  const auto& origin = record.settings->origin;
  if (!request->heir)
    request->heir = std::make_unique<heir>(
      heir{records_[row].id, origin.at, record.next, record.closed,
           record.settings->content_type});
  auto& until = request->heir->until;
  until = std::min(until, origin.at);
  request->stream = origin.source;
  out_.forwards.push_back(std::move(request));
}

void stream_table::sealed(std::uint32_t file,
                          std::shared_ptr<const segment_list> segments) {
  index_.drop(file);
  records_.unpin(index_.floor());
  segments_ = std::move(segments);
}

void stream_table::wake_readers(stream_id stream) {
  // All are taken out first: those that find nothing new park again.
  std::vector<std::unique_ptr<read_request>> waiting;
  const auto [begin, end] = parked_.equal_range(raw(stream));
  for (auto parked = begin; parked != end; ++parked)
    waiting.push_back(std::move(parked->second));
  parked_.erase(begin, end);
  for (auto& request : waiting) {
    tickets_.erase(request->ticket);
    const auto row = records_.find(stream);
    if (!row || *row == record_table::none)
      request->sink->done(missing(fmt::format("#{}", raw(stream))));
    else if (is_kept_for_forks(*row))
      request->sink->done(tl::unexpected{
        buried(printable(records_[*row].record.name))});
    else
      start_read(std::move(request), *row);
  }
}

void stream_table::cancel(std::uint64_t ticket) {
  const auto known = tickets_.find(ticket);
  if (known == tickets_.end())
    return;
  const auto [begin, end] = parked_.equal_range(known->second);
  tickets_.erase(known);
  for (auto at = begin; at != end; ++at) {
    if (at->second->ticket != ticket)
      continue;
    const auto request = std::move(at->second);
    read_page page;
    page.stream = stream_id{at->first};
    parked_.erase(at);
    if (const auto row = records_.find(page.stream);
        row && *row != record_table::none) {
      page.next = page.next_from = records_[*row].record.next;
      page.closed = records_[*row].record.closed;
    }
    return request->sink->done(std::move(page));
  }
}

result<stream_begin> stream_table::begin(stream_id stream) {
  const auto row = records_.find(stream);
  if (!row)
    return tl::unexpected{row.error()};
  if (*row == record_table::none)
    return missing(fmt::format("#{}", raw(stream)));
  const auto& record = records_[*row].record;
  return stream_begin{record.first, has_inherited(*row)
                                      ? record.settings->origin.source
                                      : stream_id{}};
}

result<stream_info> stream_table::info(stream_ref stream) {
  if (stream.id == stream_id{})
    if (auto valid = check_name(stream.name); !valid)
      return tl::unexpected{valid.error()};
  const auto row = stream.id != stream_id{} ? records_.find(stream.id)
                                            : records_.find(stream.name);
  if (!row)
    return tl::unexpected{row.error()};
  if (*row == record_table::none || records_[*row].unborn || is_gone(*row))
    return missing(stream.id != stream_id{} ? fmt::format("#{}", raw(stream.id))
                                            : printable(stream.name));
  if (is_kept_for_forks(*row))
    return tl::unexpected{buried(printable(records_[*row].record.name))};
  const auto& dormant = records_[*row];
  const auto& record = dormant.record;
  static const stream_settings plain;
  const auto& own = record.settings ? *record.settings : plain;
  return stream_info{record.name,
                     dormant.id,
                     record.first,
                     record.next,
                     record.last_ms,
                     record.kept_bytes,
                     record.closed,
                     own.content_type,
                     own.origin,
                     static_cast<std::uint32_t>(own.pins.size()),
                     dormant.awake != none,
                     own.sync,
                     own.keep,
                     records_.retention(*row),
                     record.producers ? static_cast<std::uint32_t>(
                       record.producers->size())
                                      : 0};
}

} // namespace torpor
