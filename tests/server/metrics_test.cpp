// SPDX-License-Identifier: Apache-2.0
#include "server/metrics.hpp"

#include <doctest/doctest.h>

#include <map>
#include <set>
#include <sstream>
#include <string>

namespace torpor {

namespace {

/// Prometheus' text format, taken apart.
struct parsed_page {
  std::map<std::string, std::string> types;
  std::map<std::string, std::string> helps;
  std::map<std::string, double> values; ///< By name with labels.

  explicit parsed_page(const std::string& text) {
    REQUIRE(text.ends_with('\n'));
    std::istringstream lines{text};
    for (std::string line; std::getline(lines, line);)
      line.starts_with('#') ? comment(line) : sample(line);
  }

  void comment(const std::string& line) {
    std::istringstream words{line};
    std::string mark, what, name, rest;
    words >> mark >> what >> name;
    std::getline(words >> std::ws, rest);
    auto& into = what == "HELP" ? helps : types;
    REQUIRE((what == "HELP" || what == "TYPE"));
    REQUIRE(into.emplace(name, rest).second); // Each once.
  }

  void sample(const std::string& line) {
    const auto blank = line.rfind(' ');
    REQUIRE(blank != line.npos);
    std::size_t end = 0;
    const auto value = std::stod(line.substr(blank + 1), &end);
    REQUIRE(end == line.size() - blank - 1);
    REQUIRE(values.emplace(line.substr(0, blank), value).second);
  }

  [[nodiscard]] double at(const std::string& name) const {
    const auto found = values.find(name);
    REQUIRE_MESSAGE(found != values.end(), name);
    return found->second;
  }
};

std::string family_of(const std::string& sample) {
  auto name = sample.substr(0, sample.find('{'));
  for (const auto* const end : {"_bucket", "_sum", "_count"})
    if (name.ends_with(std::string{"seconds"} + end))
      name.resize(name.size() - std::string_view{end}.size());
  return name;
}

} // namespace

TEST_SUITE_BEGIN("metrics");

TEST_CASE("every metric is ours, has a type, and a text that teaches") {
  const parsed_page page{metrics_text({})};
  CHECK(page.types.size() > 30);
  for (const auto& [name, type] : page.types) {
    INFO(name);
    CHECK(name.starts_with("torpor_"));
    CHECK((type == "counter" || type == "gauge" || type == "histogram"));
    CHECK((type == "counter") == name.ends_with("_total"));
    CHECK((type != "histogram" || name.ends_with("_seconds")));
    REQUIRE(page.helps.contains(name));
    CHECK(page.helps.at(name).ends_with('.'));
    CHECK(page.helps.at(name).size() > 20);
  }
  for (const auto& [sample, value] : page.values)
    CHECK_MESSAGE(page.types.contains(family_of(sample)), sample);
}

TEST_CASE("what the store says is told") {
  server_facts facts;
  facts.store.catalog = 1000;
  facts.store.awake = 7;
  facts.store.commits = 5;
  facts.store.committed_entries = 500;
  facts.store.segments = 3;
  facts.store.segment_bytes = 4096;
  facts.store.full = true;
  facts.disk = {10, 20, 30};
  facts.health = {"full", "why"};
  facts.door.connections = 12;
  const parsed_page page{metrics_text(facts)};
  CHECK(page.at("torpor_streams{state=\"awake\"}") == 7);
  CHECK(page.at("torpor_streams{state=\"dormant\"}") == 993);
  CHECK(page.at("torpor_journal_commits_total") == 5);
  CHECK(page.at("torpor_durable_entries_total") == 500);
  CHECK(page.at("torpor_segments") == 3);
  CHECK(page.at("torpor_disk_bytes{part=\"journal\"}") == 10);
  CHECK(page.at("torpor_disk_bytes{part=\"segments\"}") == 4096);
  CHECK(page.at("torpor_disk_bytes{part=\"catalog\"}") == 20);
  CHECK(page.at("torpor_disk_free_bytes") == 30);
  CHECK(page.at("torpor_journal_full") == 1);
  CHECK(page.at("torpor_ready") == 0);
  CHECK(page.at("torpor_http_connections") == 12);
}

TEST_CASE("requests are told by method and status, errors by code") {
  using boost::beast::http::verb;
  http_metrics metrics;
  auto& one = metrics.add_loop();
  auto& two = metrics.add_loop();
  one.request(verb::post, 204);
  two.request(verb::post, 200);
  two.request(verb::patch, 405);
  two.request(verb::get, 42);
  one.error("closed");
  two.error("closed");
  two.error("not_found");
  server_facts facts;
  facts.http = metrics.total();
  const parsed_page page{metrics_text(facts)};
  const std::string requests = "torpor_http_requests_total";
  CHECK(page.at(requests + "{method=\"POST\",status=\"2xx\"}") == 2);
  CHECK(page.at(requests + "{method=\"other\",status=\"4xx\"}") == 1);
  CHECK(page.at(requests + "{method=\"GET\",status=\"1xx\"}") == 1);
  CHECK(page.at("torpor_http_errors_total{code=\"closed\"}") == 2);
  CHECK(page.at("torpor_http_errors_total{code=\"not_found\"}") == 1);
}

TEST_CASE("a histogram is cumulative and ends with all there are") {
  http_metrics metrics;
  auto& one = metrics.add_loop();
  auto& two = metrics.add_loop();
  one.writes.record(1'000);               // 1 µs.
  one.writes.record(1'000'000);           // 1 ms.
  two.writes.record(1'000'000);           // 1 ms.
  two.writes.record(100'000'000'000);     // 100 s.
  server_facts facts;
  facts.http = metrics.total();
  const parsed_page page{metrics_text(facts)};
  const std::string name = "torpor_http_write_seconds";
  CHECK(page.at(name + "_count") == 4);
  CHECK(page.at(name + "_bucket{le=\"+Inf\"}") == 4);
  CHECK(page.at(name + "_sum") == doctest::Approx(100.002001));
  std::map<double, double> buckets;
  for (const auto& [sample, value] : page.values)
    if (sample.starts_with(name + "_bucket{le=\"")
        && sample.find("Inf") == sample.npos)
      buckets[std::stod(sample.substr(name.size() + 12))] = value;
  CHECK(buckets.size() == 21);
  double last = 0;
  for (const auto& [bound, count] : buckets) {
    CHECK(count == (bound < 1e-3 ? 1 : 3));
    CHECK(count >= last);
    last = count;
  }
}

TEST_SUITE_END();

} // namespace torpor
