// SPDX-License-Identifier: Apache-2.0
#include "server/metrics.hpp"

#include <fmt/format.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <limits>
#include <utility>
#include <vector>

namespace torpor {

namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

/// Bounds of histograms: from 16 µs to 17 s, each twice the one before.
constexpr unsigned first_bound = 14;
constexpr unsigned last_bound = 34;

double seconds(std::uint64_t ns) {
  return static_cast<double>(ns) / 1e9;
}

/// Collects families in the order in which they are to be read.
/// Threads: one owner.
class page {
public:
  /// A label's name, its value, and the metric's.
  struct sample {
    std::string_view label;
    std::string_view text;
    std::uint64_t value;
  };

  void counter(const char* name, const char* help, std::uint64_t value) {
    add(name, help, MetricType::Counter, value);
  }
  void gauge(const char* name, const char* help, std::uint64_t value) {
    add(name, help, MetricType::Gauge, value);
  }
  void gauges(const char* name, const char* help,
              const std::vector<sample>& samples) {
    auto& family = add(name, help, MetricType::Gauge);
    for (const auto& each : samples)
      set(add(family, {{std::string{each.label}, std::string{each.text}}}),
          MetricType::Gauge, each.value);
  }
  void histogram(const char* name, const char* help,
                 const histogram_counts& counts);

  MetricFamily& add(const char* name, const char* help, MetricType type) {
    return families_.emplace_back(MetricFamily{name, help, type, {}});
  }
  static ClientMetric& add(MetricFamily& family,
                           std::vector<ClientMetric::Label> labels) {
    auto& metric = family.metric.emplace_back();
    metric.label = std::move(labels);
    return metric;
  }
  static void set(ClientMetric& metric, MetricType type, std::uint64_t value) {
    (type == MetricType::Counter ? metric.counter.value : metric.gauge.value)
      = static_cast<double>(value);
  }

  [[nodiscard]] std::string text() const {
    return prometheus::TextSerializer{}.Serialize(families_);
  }

private:
  void add(const char* name, const char* help, MetricType type,
           std::uint64_t value) {
    set(add(add(name, help, type), {}), type, value);
  }

  std::vector<MetricFamily> families_;
};

void page::histogram(const char* name, const char* help,
                     const histogram_counts& counts) {
  auto& found = add(add(name, help, MetricType::Histogram), {}).histogram;
  found.sample_count = counts.count();
  found.sample_sum = seconds(counts.sum_ns);
  for (auto bits = first_bound; bits <= last_bound; ++bits) {
    const auto bound = std::uint64_t{1} << bits;
    found.bucket.push_back({counts.below(bound), seconds(bound)});
  }
  found.bucket.push_back({counts.count(),
                          std::numeric_limits<double>::infinity()});
}

void add_daemon(page& to, const server_facts& facts) {
  auto& build = to.add("torpor_build_info",
                       "Always 1; the label tells the version.",
                       MetricType::Gauge);
  page::set(page::add(build, {{"version", TORPOR_VERSION}}), MetricType::Gauge,
            1);
  to.gauge("torpor_start_time_seconds",
           "When torpord started, seconds since 1970.",
           static_cast<std::uint64_t>(facts.started_ms) / 1000);
  to.gauge("torpor_ready",
           "1 while /readyz answers 200. 0: appends are refused; /readyz says "
           "why.",
           facts.health.ready() ? 1 : 0);
}

void add_streams(page& to, const runtime_stats& store) {
  to.gauges("torpor_streams",
            "Streams by state. Awake ones have something in memory that is not "
            "durable yet; dormant ones cost no memory.",
            {{"state", "awake", store.awake},
             {"state", "dormant",
              store.catalog > store.awake ? store.catalog - store.awake : 0}});
  to.counter("torpor_streams_woken_total",
             "Dormant streams that were written to.", store.wakes);
  to.counter("torpor_streams_hibernated_total",
             "Streams that became dormant again, with all durable.",
             store.hibernates);
  to.gauge("torpor_records_cached",
           "Records of streams in memory; memory.record-cache bounds the "
           "unchanged ones.",
           store.records);
  to.counter("torpor_appended_entries_total",
             "Entries taken in. Those acknowledged as buffered may not be "
             "durable yet.",
             store.appends);
  to.counter("torpor_durable_entries_total",
             "Entries made durable. Divided by torpor_journal_commits_total: "
             "entries that shared a sync of the disk.",
             store.committed_entries);
  to.counter("torpor_durable_bytes_total",
             "Payload bytes of entries made durable.", store.acked_bytes);
  to.counter("torpor_refused_requests_total",
             "Requests that the engine answered with an error of any kind.",
             store.refused);
  to.gauge("torpor_waiting_reads",
           "Reads that wait at the end of a stream; readers of one stream share "
           "one.",
           store.waiting_reads);
  to.gauge("torpor_wheel_deadlines",
           "Deadlines in the engine's timing wheel: streams whose entries will "
           "be due.",
           store.deadlines);
}

void add_journal(page& to, const server_facts& facts) {
  const auto& store = facts.store;
  to.counter("torpor_journal_commits_total",
             "Frames written to the journal: one sync of the disk each, for "
             "many streams.",
             store.commits);
  to.counter("torpor_journal_blocks_total",
             "Blocks in these frames: one for each stream that took part.",
             store.blocks);
  to.counter("torpor_journal_written_bytes_total",
             "Bytes written to the journal with headers and padding.",
             store.written_bytes);
  to.histogram("torpor_journal_commit_seconds",
               "How long the disk took to make one frame durable. When this "
               "rises, the disk is slow.",
               facts.commits);
  to.gauge("torpor_journal_full",
           "1 while the disk is full and appends are refused; deletes go on.",
           store.full ? 1 : 0);
  to.gauge("torpor_journal_failed",
           "1 when a sync failed: writes are refused until a restart.",
           store.failed ? 1 : 0);
  to.gauge("torpor_replayed_entries",
           "Entries that the last start took from the journal.",
           store.replayed_entries);
}

void add_resources(page& to, const server_facts& facts) {
  const auto& store = facts.store;
  to.gauge("torpor_buffered_bytes",
           "Bytes queued or buffered and not durable yet.",
           store.buffered_bytes);
  to.gauge("torpor_buffered_bytes_max",
           "What these may become (memory.buffered-bytes-max); appends beyond "
           "it are answered with 503.",
           store.buffered_bytes_max);
  to.gauge("torpor_segments",
           "Files with sorted entries; merging keeps them few.",
           store.segments);
  to.gauges("torpor_disk_bytes", "Bytes on disk by part of the store.",
            {{"part", "journal", facts.disk.journal},
             {"part", "segments", store.segment_bytes},
             {"part", "catalog", facts.disk.catalog}});
  to.gauge("torpor_disk_free_bytes",
           "Bytes that are free on the disk of data-dir.", facts.disk.free);
}

void add_requests(page& to, const http_totals& http) {
  auto& requests = to.add("torpor_http_requests_total",
                          "Answered requests by method and class of status. A "
                          "live reader counts when its answer begins.",
                          MetricType::Counter);
  for (std::size_t method = 0; method < counted_methods.size(); ++method)
    for (std::size_t digit = 0; digit < status_classes; ++digit)
      if (const auto count = http.requests[method][digit]; count != 0)
        page::set(page::add(requests,
                            {{"method", std::string{counted_methods[method]}},
                             {"status", fmt::format("{}xx", digit + 1)}}),
                  MetricType::Counter, count);
  auto& errors = to.add("torpor_http_errors_total",
                        "Answers with an error by its code, as in their JSON.",
                        MetricType::Counter);
  for (const auto& [code, count] : http.errors)
    page::set(page::add(errors, {{"code", code}}), MetricType::Counter, count);
}

void add_http(page& to, const server_facts& facts) {
  const auto& http = facts.http;
  add_requests(to, http);
  to.histogram("torpor_http_write_seconds",
               "Acknowledgement latency: from a POST or PUT with its body to "
               "the answer 2xx.",
               http.writes);
  to.histogram("torpor_http_read_seconds",
               "From a GET or HEAD that does not wait to the beginning of the "
               "answer, 2xx or 3xx.",
               http.reads);
  to.counter("torpor_http_received_bytes_total",
             "Bytes that clients sent, with headers.",
             facts.door.received_bytes);
  to.counter("torpor_http_sent_bytes_total",
             "Bytes that clients were sent, with headers.",
             facts.door.sent_bytes);
  to.counter("torpor_http_read_bytes_total",
             "Bytes of streams that GET was answered with, without headers.",
             http.bytes_read);
  to.gauge("torpor_http_connections", "Open connections, also idle ones.",
           facts.door.connections);
  to.gauge("torpor_http_live_readers",
           "Requests that follow a stream (long-poll and SSE).",
           http.live_readers);
}

} // namespace

std::string metrics_text(const server_facts& facts) {
  page all;
  add_daemon(all, facts);
  add_streams(all, facts.store);
  add_journal(all, facts);
  add_resources(all, facts);
  add_http(all, facts);
  return all.text();
}

} // namespace torpor
