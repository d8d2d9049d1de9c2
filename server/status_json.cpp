// SPDX-License-Identifier: Apache-2.0
#include "server/status_json.hpp"

#include "cli/json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include <unistd.h>

namespace torpor {

namespace {

json_object streams_of(const runtime_stats& store) {
  json_object object;
  object.number("total", store.streams)
    .number("awake", store.awake)
    .number("wakes", store.wakes)
    .number("hibernates", store.hibernates);
  return object;
}

json_object appends_of(const runtime_stats& store) {
  json_object object;
  object.number("entries", store.appends)
    .number("durable_entries", store.committed_entries)
    .number("bytes", store.acked_bytes)
    .number("refused", store.refused);
  return object;
}

json_object journal_of(const runtime_stats& store) {
  json_object object;
  object.number("commits", store.commits)
    .number("blocks", store.blocks)
    .number("entries", store.committed_entries)
    .number("written_bytes", store.written_bytes);
  return object;
}

json_object disk_of(const server_facts& facts) {
  json_object object;
  object.number("journal_bytes", facts.disk.journal)
    .number("segments_bytes", facts.store.segment_bytes)
    .number("segments", facts.store.segments)
    .number("catalog_bytes", facts.disk.catalog)
    .number("free_bytes", facts.disk.free);
  return object;
}

json_object http_of(const server_facts& facts) {
  const auto& http = facts.http;
  std::uint64_t all = 0;
  for (std::size_t digit = 1; digit <= status_classes; ++digit)
    all += http.of_class(digit);
  json_object object;
  object.number("requests", all)
    .number("errors_4xx", http.of_class(4))
    .number("errors_5xx", http.of_class(5))
    .number("connections", facts.door.connections)
    .number("live_readers", http.live_readers)
    .number("bytes_in", facts.door.received_bytes)
    .number("bytes_out", facts.door.sent_bytes);
  return object;
}

/// Buckets from 16 µs to 17 s, eight for each power of two, then the rest.
json_object latency_of(const histogram_counts& counts) {
  constexpr auto first = histogram_counts::index_of(std::uint64_t{1} << 14);
  constexpr auto end = histogram_counts::index_of(std::uint64_t{1} << 34);
  json_array bounds;
  json_array found;
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < first; ++i)
    below += counts.counts[i];
  for (auto i = first; i < end; ++i) {
    below += counts.counts[i];
    bounds.add(fmt::to_string((histogram_counts::upper_end(i) + 1) / 1000));
    found.add(fmt::to_string(std::exchange(below, 0)));
  }
  for (auto i = end; i < histogram_counts::buckets; ++i)
    below += counts.counts[i];
  found.add(fmt::to_string(below));
  json_object object;
  object.raw("upper_us", bounds.str())
    .raw("counts", found.str())
    .number("sum_us", counts.sum_ns / 1000)
    .number("p50_us", counts.at(0.5) / 1000)
    .number("p99_us", counts.at(0.99) / 1000);
  return object;
}

json_object policy_of(const sync_policy& policy) {
  json_object object;
  object.number("max_delay_ms", std::uint64_t{policy.max_delay_ms})
    .number("max_bytes", std::uint64_t{policy.max_bytes})
    .number("linger_ms", std::uint64_t{policy.linger_ms});
  return object;
}

json_object retention_of(const retention_policy& keeps) {
  json_object object;
  object.number("age_ms", keeps.age_ms)
    .number("bytes", keeps.bytes)
    .number("entries", keeps.entries)
    .number("ttl_ms", keeps.ttl_ms)
    .number("expires_ms", keeps.expires_ms);
  return object;
}

} // namespace

std::string to_json(const server_facts& facts) {
  const auto& store = facts.store;
  json_object memory;
  memory.number("used_bytes", store.buffered_bytes)
    .number("max_bytes", store.buffered_bytes_max);
  json_object reads;
  reads.number("bytes", facts.http.bytes_read)
    .number("waiting", store.waiting_reads);
  json_object object;
  object.text("version", TORPOR_VERSION)
    .number("pid", std::int64_t{::getpid()})
    .number("time_ms", facts.now_ms)
    .number("uptime_ms", facts.uptime_ms)
    .text("state", facts.health.state)
    .text("reason", facts.health.reason)
    .raw("streams", streams_of(store).str())
    .raw("appends", appends_of(store).str())
    .raw("reads", reads.str())
    .raw("journal", journal_of(store).str())
    .raw("ack_latency", latency_of(facts.http.writes).str())
    .raw("commit_latency", latency_of(facts.commits).str())
    .raw("memory", memory.str())
    .raw("disk", disk_of(facts).str())
    .raw("http", http_of(facts).str());
  return object.str();
}

std::string
to_json(const std::vector<std::pair<std::string, stream_id>>& streams,
        std::size_t limit) {
  json_array names;
  for (std::size_t i = 0; i < std::min(limit, streams.size()); ++i)
    names.add(json_object{}
                .text("name", streams[i].first)
                .number("id", raw(streams[i].second))
                .str());
  return json_object{}
    .raw("streams", names.str())
    .flag("more", streams.size() > limit)
    .str();
}

std::string to_json(const stream_info& info) {
  json_object object;
  object.text("name", info.name)
    .number("id", raw(info.id))
    .number("first", raw(info.first))
    .number("next", raw(info.next))
    .number("inherited", info.inherited())
    .number("bytes", info.bytes)
    .number("last_ms", info.last_ms)
    .flag("closed", info.closed)
    .flag("awake", info.awake)
    .text("content_type", info.content_type)
    .number("producers", std::uint64_t{info.producers})
    .number("forks", std::uint64_t{info.forks})
    .raw("policy", policy_of(info.policy).str())
    .raw("retention", retention_of(info.keeps).str());
  return object.str();
}

} // namespace torpor
