// SPDX-License-Identifier: Apache-2.0
#include "server/config.hpp"

#include "server/config_file.hpp"
#include "server/option_value.hpp"
#include "tests/support/scratch_directory.hpp"

#include <doctest/doctest.h>

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>
#include <tuple>

#include <stdlib.h>
#include <unistd.h>

using namespace torpor;
using namespace std::chrono_literals;

namespace {

/// A file that is gone when the test is over.
class temporary_file {
public:
  explicit temporary_file(std::string_view text) {
    const auto number = ::mkstemp(path_.data());
    REQUIRE(number >= 0);
    REQUIRE(::write(number, text.data(), text.size())
            == static_cast<ssize_t>(text.size()));
    ::close(number);
  }
  ~temporary_file() { ::unlink(path_.c_str()); }

  [[nodiscard]] const std::string& path() const { return path_; }

private:
  std::string path_ = "/tmp/torpor-config-XXXXXX";
};

/// The error of applying a text, without the file's name in front of it; empty
/// when there is none.
std::string refusal(std::string_view text) {
  const temporary_file file{text};
  daemon_config config;
  const auto applied = apply_file(config, file.path());
  if (applied)
    return {};
  CHECK(applied.error().code == errc::invalid_argument);
  REQUIRE(applied.error().context.starts_with(file.path()));
  return applied.error().context.substr(file.path().size());
}

/// The whole error of applying a text; empty when there is none.
std::string refusal_anywhere(std::string_view text) {
  const temporary_file file{text};
  daemon_config config;
  const auto applied = apply_file(config, file.path());
  return applied ? std::string{} : applied.error().context;
}

daemon_config applied(std::string_view text) {
  const temporary_file file{text};
  daemon_config config;
  const auto done = apply_file(config, file.path());
  INFO((done ? std::string{} : done.error().context));
  REQUIRE(done);
  return config;
}

/// All values of a configuration. Does not compile when a field is added. Over
/// HTTP only PUT makes streams: `create_on_append` is none of the daemon's.
auto fields(const daemon_config& config) {
  const auto& [store, log_level, http, buffered] = config;
  const auto& [data_dir, create_on_append, sync, memory, journal, segments,
               retention, pool]
    = store;
  const auto& [max_delay, max_bytes, linger, window] = sync;
  const auto& [all_bytes, stream, tenant, cache, tenants] = memory;
  const auto& [file_bytes, idle_mark] = journal;
  const auto& [compression] = segments;
  const auto& [workers, shards, readers] = pool;
  return std::tuple{
    log_level, data_dir,   max_delay, max_bytes, linger,
    window,    all_bytes,  stream,    tenant,    cache,  tenants,
    workers,   file_bytes, idle_mark, shards,    readers,
    retention, compression, http,          buffered};
}

const daemon_config& defaults() {
  static const daemon_config made;
  return made;
}

/// A configuration in which no option has its default.
daemon_config all_changed() {
  daemon_config config;
  config.log_level = "off";
  auto& store = config.store;
  store.data_dir = "elsewhere";
  store.sync = {1ms, 4096, 7ms, 9};
  store.memory = {1 << 20, 1 << 16, 5, 6, {}};
  store.journal = {1 << 16, 10ms};
  store.segments = {19};
  store.pool = {3, 4, 5};
  config.http = {false,  "::1", 80,  "s",  3,   4,   1025, 1026,
                 33 << 20, 4097, 1ms, 2ms, 3ms, 4ms, 5ms,  10ms,
                 11ms,   "cert", "key", "tok", true, 12,  13};
  config.buffered = {{"clicks", "clicks/"}};
  return config;
}

std::string shipped_file() {
  std::ifstream input{"config/torpor.ini"};
  std::ostringstream text;
  text << input.rdbuf();
  return text.str();
}

} // namespace

TEST_CASE("config/torpor.ini shows the default of every option") {
  auto config = all_changed();
  config.buffered.clear(); // A file can only add rules.
  const auto done = apply_file(config, "config/torpor.ini");
  INFO((done ? std::string{} : done.error().context));
  REQUIRE(done);
  CHECK(fields(config) == fields(defaults()));
}

TEST_CASE("config/torpor.ini leaves no option out") {
  const auto parsed = parse_config_text(shipped_file());
  REQUIRE(parsed);
  std::set<std::string> shown;
  for (const auto& entry : parsed->entries)
    shown.insert(fmt::format("{}.{}", entry.section, entry.key));
  for (const auto& [section, line] : parsed->sections)
    shown.insert(section);
  for (const auto key : option_keys()) {
    INFO(key);
    CHECK(shown.contains(fmt::format("torpor.{}", key)));
  }
}

TEST_CASE("every option in a file reaches its place") {
  const auto config = applied("[torpor]\n"
                              "data-dir = \"elsewhere\" ; a comment\n"
                              "log-level = \"off\"\n"
                              "[torpor.sync]\n"
                              "max-delay = 1ms\n"
                              "max-bytes = 4096\n"
                              "linger = 7ms\n"
                              "window = 9\n"
                              "[torpor.memory]\n"
                              "buffered-bytes-max = \"1MiB\"\n"
                              "stream-bytes-max = \"64 KiB\"\n"
                              "tenant-bytes-max = 5\n"
                              "record-cache = 6\n"
                              "[torpor.journal]\n"
                              "file-bytes = \"64KiB\"\n"
                              "idle-mark = 10ms\n"
                              "[torpor.segments]\n"
                              "compression = 19\n"
                              "[torpor.pool]\n"
                              "workers = 3\n"
                              "shards = 4\n"
                              "readers = 5\n"
                              "[torpor.http]\n"
                              "enabled = false\n"
                              "address = \"::1\"\n"
                              "port = 80\n"
                              "socket = \"s\"\n"
                              "threads = 3\n"
                              "connections-max = 4\n"
                              "header-bytes-max = 1025\n"
                              "body-bytes-max = 1026\n"
                              "bodies-bytes-max = \"33MiB\"\n"
                              "read-bytes-max = 4097\n"
                              "header-timeout = 1ms\n"
                              "body-timeout = 2ms\n"
                              "idle-timeout = 3ms\n"
                              "write-timeout = 4ms\n"
                              "stop-timeout = 5ms\n"
                              "long-poll-timeout = 10ms\n"
                              "sse-lifetime = 11ms\n"
                              "tls-certificate = \"cert\"\n"
                              "tls-key = \"key\"\n"
                              "tokens = \"tok\"\n"
                              "insecure = true\n"
                              "rate-requests = 12\n"
                              "rate-bytes = 13\n"
                              "[torpor.buffered.clicks]\n"
                              "prefix = \"clicks/\"\n");
  CHECK(fields(config) == fields(all_changed()));
}

TEST_CASE("a retention rule has a section of its own") {
  const auto config = applied("[torpor.retention.logs]\n"
                              "prefix = \"logs/\"\n"
                              "age = \"30d\"\n"
                              "bytes = \"1GiB\"\n"
                              "entries = 1000\n"
                              "ttl = 12h\n"
                              "[torpor.retention.rest]\n"
                              "prefix = \"\"\n");
  const auto& rules = config.store.retention;
  REQUIRE(rules.size() == 2);
  CHECK(rules.at("logs")
        == retention_rule{
          "logs/", {30ull * 86'400'000, 1u << 30, 1000, 12 * 3'600'000, 0}});
  CHECK(rules.at("rest") == retention_rule{"", {}});
  CHECK(validate(config.store));
}

TEST_CASE("a retention rule that makes no sense is refused") {
  CHECK(refusal("[torpor.retention.logs]\nage = 0s\n")
        == ":2: [torpor.retention.logs] age = 0s: expected a duration of 1 ms "
           "or more such as 12h or \"30d\"");
  CHECK(refusal("[torpor.retention.logs]\nagee = 1s\n")
        == ":2: [torpor.retention.logs] agee = 1s: no such option; a rule has "
           "prefix, age, bytes, entries and ttl");
  CHECK(refusal("[torpor.retention.logs]\nbytes = \"many\"\n") != "");
  CHECK(refusal("[torpor.retention]\nage = 1s\n") != "");
  CHECK(refusal("[torpor.retention.a.b]\nage = 1s\n") != "");
  const auto nowhere = applied("[torpor.retention.logs]\nage = 1s\n");
  const auto missing = validate(nowhere.store);
  REQUIRE_FALSE(missing);
  CHECK(missing.error().context
        == "retention.logs.prefix is missing; \"\" is every stream");
  const auto twice = applied("[torpor.retention.a]\nprefix = \"x\"\n"
                             "[torpor.retention.b]\nprefix = \"x\"\n");
  const auto doubled = validate(twice.store);
  REQUIRE_FALSE(doubled);
  CHECK(doubled.error().context
        == "retention.b.prefix is that of retention.a too");
}

TEST_CASE("an open door without tokens has to be asked for") {
  const auto problem = [](auto change) {
    daemon_config config;
    change(config.http);
    const auto checked = validate(config);
    return checked ? std::string{} : checked.error().context;
  };
  const std::string refused = problem([](auto& http) { http.address = "::"; });
  CHECK(refused
        == "http.address :: lets other machines in, and nobody asks who they "
           "are; set http.tokens to a file of access tokens, or http.insecure "
           "= true if everybody may read and write everything");
  CHECK(problem([](auto& http) { http.address = "0.0.0.0"; }) != "");
  CHECK(problem([](auto& http) { http.address = "10.1.2.3"; }) != "");
  for (const auto* const local :
       {"127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"}) {
    INFO(std::string{local});
    CHECK(problem([&](auto& http) { http.address = local; }) == "");
  }
  CHECK(problem([](auto& http) {
          http.address = "::";
          http.insecure = true;
        })
        == "");
  const temporary_file tokens{"# nobody\n"};
  CHECK(problem([&](auto& http) {
          http.address = "::";
          http.tokens = tokens.path();
        })
        == "");
  CHECK(problem([](auto& http) {
          http.address = "::";
          http.enabled = false;
        })
        == "");
}

TEST_CASE("files that the door needs are looked at before the start") {
  daemon_config config;
  config.http.tokens = "/nowhere/tokens";
  REQUIRE(!validate(config));
  CHECK(validate(config).error().context
        == "http.tokens: open '/nowhere/tokens': No such file or directory");
  config.http.tokens.clear();
  config.http.tls_key = "key.pem";
  REQUIRE(!validate(config));
  CHECK(validate(config).error().context
        == "http.tls-certificate and http.tls-key belong together; set "
           "http.tls-certificate too");
  config.http.tls_certificate = "config/torpor.ini";
  REQUIRE(!validate(config));
  CHECK(validate(config).error().context.starts_with(
    "http.tls-certificate 'config/torpor.ini' cannot be used ("));
}

TEST_CASE("the places of the store and of its socket are looked at before the "
          "start") {
  const auto says = [](const std::string& data_dir, const std::string& socket) {
    daemon_config config;
    config.store.data_dir = data_dir;
    config.http.socket = socket;
    const auto valid = validate(config);
    return valid ? "" : valid.error().context;
  };
  const test::scratch_directory scratch;
  const auto store = scratch.path() + "/store";
  CHECK(says(store, "door").empty());
  CHECK(says(store + "//", "").empty());
  CHECK(says(scratch.path(), "door").empty());
  CHECK(says(store + "/deeper", "")
        == "mkdir '" + store + "/deeper': No such file or directory");
  std::ofstream{store} << "no directory";
  CHECK(says(store, "") == "open '" + store + "': Not a directory");
  const std::string longer(100, 'x');
  CHECK(says(scratch.path(), "/" + longer).find("has 101 bytes, at most 99")
        != std::string::npos);
  // With the directory that it lies in.
  CHECK(says(scratch.path(), longer).find(" bytes, at most 99")
        != std::string::npos);
  daemon_config silent;
  silent.http.enabled = false;
  silent.http.socket = longer;
  CHECK(validate(silent));
}

TEST_CASE("a buffered rule needs a prefix") {
  daemon_config config;
  config.buffered["all"] = "";
  CHECK(validate(config));
  config.buffered["none"];
  REQUIRE(!validate(config));
  CHECK(validate(config).error().context
        == "buffered.none.prefix is missing; \"\" is every stream");
}

TEST_CASE("tenants are a dictionary of names and bytes") {
  const auto config = applied("[torpor.memory.tenants]\r\n"
                              "acme = \"64MiB\"\r\n"
                              "b-2 = 4096\r\n");
  CHECK(config.store.memory.tenants
        == std::map<std::string, std::uint64_t>{{"acme", 64u << 20},
                                                {"b-2", 4096}});
}

TEST_CASE("a section keeps its values when one below it follows") {
  const auto config = applied("[torpor.memory]\n"
                              "record-cache = 7\n"
                              "[torpor.memory.tenants]\n"
                              "acme = 1\n"
                              "[torpor]\n"
                              "log-level = \"off\"\n");
  CHECK(config.store.memory.record_cache == 7);
  CHECK(config.store.memory.tenants.at("acme") == 1);
}

TEST_CASE("an empty file changes nothing") {
  CHECK(fields(applied("")) == fields(defaults()));
  CHECK(fields(applied("; nothing\n[torpor]\n")) == fields(defaults()));
}

TEST_CASE("a file that is missing or no file is refused by name") {
  daemon_config config;
  const auto missing = apply_file(config, "/nowhere/torpor.ini");
  REQUIRE(!missing);
  CHECK(missing.error().code == errc::io_failed);
  CHECK(missing.error().context
        == "open '/nowhere/torpor.ini': No such file or directory");
  CHECK(!apply_file(config, "/tmp"));
}

TEST_CASE("a file over 1 MiB, or that is none, is refused and not read") {
  daemon_config config;
  const auto device = apply_file(config, "/dev/zero");
  REQUIRE(!device);
  CHECK(device.error().context
        == "'/dev/zero' is no regular file; a configuration is a text file");
  constexpr std::size_t most = 1u << 20;
  std::string text = "[torpor.sync]\nwindow = 9\n;";
  text.resize(most, ' ');
  CHECK(applied(text).store.sync.window == 9);
  CHECK(refusal_anywhere(text + ' ').find("more than 1048576 bytes")
        != std::string::npos);
}

TEST_CASE("a tenant's name has no slash") {
  daemon_config config;
  const auto refused = apply_argument(config,
                                      "--torpor.memory.tenants.a/b=1MiB");
  REQUIRE(!refused);
  CHECK(refused.error().context
        == "--torpor.memory.tenants.a/b=1MiB: tenant 'a/b' has a '/'; a tenant "
           "is what stands before the first '/' of a stream's name");
  CHECK(config.store.memory.tenants.empty());
}

TEST_CASE("a range says what 0 stands for where that is outside of it") {
  CHECK(refusal("[torpor.pool]\nworkers = 65\n")
        == ":2: [torpor.pool] workers = 65: pool.workers is 65, expected 1 to "
           "64 (0: chosen by the processors)");
  CHECK(
    refusal("[torpor.pool]\nshards = 65\n").ends_with("(0: one per worker)"));
  CHECK(refusal("[torpor.pool]\nreaders = 0\n").ends_with("1 to 16"));
}

TEST_CASE("a section that is unknown is refused with its line") {
  CHECK(refusal("\n[torpor.sink]\n")
        == ":2: unknown section [torpor.sink]; expected [torpor], "
           "[torpor.sync], [torpor.memory], [torpor.journal], "
             "[torpor.segments], [torpor.pool], [torpor.http], "
           "[torpor.memory.tenants], [torpor.retention.NAME], "
           "[torpor.buffered.NAME]");
  CHECK(refusal("[scheduler]\nmax-threads = 4\n")
          .starts_with(":1: unknown section [scheduler]"));
  CHECK(refusal("[torpor.data-dir]\n").starts_with(":1: unknown section"));
  CHECK(refusal("[torpor.memory.tenants.acme]\n")
          .starts_with(":1: unknown section"));
  CHECK(refusal("data-dir = \"x\"\n")
          .starts_with(":1: key 'data-dir' stands above every section"));
}

TEST_CASE("a key that is unknown is refused with what there is") {
  CHECK(refusal("[torpor.sync]\nmax-delay = 1s\nmax-dealy = 5s\n")
        == ":3: [torpor.sync] max-dealy = 5s: no such option; expected one of "
           "sync.max-delay, sync.max-bytes, sync.linger, sync.window");
  CHECK(refusal("[torpor]\nmax-delay = 5s\n")
        == ":2: [torpor] max-delay = 5s: no such option; expected one of "
           "data-dir, log-level");
}

TEST_CASE("a value of another type is refused with what is expected") {
  CHECK(refusal("[torpor.sync]\nmax-delay = 5\n")
        == ":2: [torpor.sync] max-delay = 5: expected a duration in whole "
           "milliseconds such as 500ms, 5s or 1min");
  const std::pair<std::string_view, std::string_view> cases[] = {
    {"[torpor]\ndata-dir = 5\n", "expected a string in double quotes"},
    {"[torpor.http]\ninsecure = 1\n", "expected true or false"},
    {"[torpor]\nlog-level = \"loud\"\n", "expected \"trace\", \"debug\""},
    {"[torpor.sync]\nmax-delay = 1500us\n", "whole milliseconds"},
    {"[torpor.sync]\nmax-delay = \"5s\"\n", "expected a duration"},
    {"[torpor.sync]\nmax-bytes = \"64KB\"\n", "expected bytes"},
    {"[torpor.sync]\nmax-bytes = 64.5\n", "expected bytes"},
    {"[torpor.sync]\nwindow = \"9\"\n", "expected a whole number"},
    {"[torpor.sync]\nwindow = -1\n", "expected a whole number"},
    {"[torpor.sync]\nwindow = [1]\n", "expected a whole number"},
    {"[torpor.memory]\ntenants = 5\n", "no such option"},
    {"[torpor.memory.tenants]\nacme = 5s\n", "expected bytes"},
    {"[torpor.http]\nport = 65536\n", "0 to 65535"},
    {"[torpor.http]\nport = \"80\"\n", "0 to 65535"},
    {"[torpor.http]\naddress = 1\n", "expected a string"},
    {"[torpor.http]\ninsecure = \"yes\"\n", "expected true or false"},
    {"[torpor.buffered.a]\nprefix = 1\n", "expected a string"},
    {"[torpor.buffered.a]\nsuffix = \"x\"\n", "a buffered rule has a prefix"},
  };
  for (const auto& [text, expected] : cases) {
    INFO(text);
    const auto said = refusal(text);
    INFO(said);
    CHECK(said.find(expected) != said.npos);
  }
}

TEST_CASE("a value out of range is refused with the range") {
  CHECK(refusal("[torpor.sync]\nmax-delay = 2h\n")
        == ":2: [torpor.sync] max-delay = 2h: sync.max-delay is 7200000 ms, "
           "expected 1 to 3600000 ms");
  const std::string_view cases[] = {
    "[torpor]\ndata-dir = \"\"\n",
    "[torpor.sync]\nmax-delay = 0ms\n",
    "[torpor.sync]\nmax-delay = -5s\n",
    "[torpor.sync]\nmax-bytes = 4095\n",
    "[torpor.sync]\nmax-bytes = \"17MiB\"\n",
    "[torpor.sync]\nlinger = 2s\n",
    "[torpor.sync]\nwindow = 0\n",
    "[torpor.sync]\nwindow = 4294967297\n",
    "[torpor.memory]\nbuffered-bytes-max = 1\n",
    "[torpor.memory]\nstream-bytes-max = \"2GiB\"\n",
    "[torpor.memory]\ntenant-bytes-max = \"2TiB\"\n",
    "[torpor.memory]\nrecord-cache = 100000001\n",
    "[torpor.memory.tenants]\nacme = 0\n",
    "[torpor.journal]\nfile-bytes = 65537\n",
    "[torpor.journal]\nidle-mark = 9ms\n",
    "[torpor.pool]\nworkers = 65\n",
    "[torpor.pool]\nshards = 65\n",
    "[torpor.pool]\nreaders = 0\n",
    "[torpor.http]\naddress = \"localhost\"\n",
    "[torpor.http]\nthreads = 0\n",
    "[torpor.http]\nconnections-max = 1000001\n",
    "[torpor.http]\nheader-bytes-max = 1023\n",
    "[torpor.http]\nbody-bytes-max = \"17MiB\"\n",
    "[torpor.http]\nbodies-bytes-max = \"31MiB\"\n",
    "[torpor.http]\nread-bytes-max = 4095\n",
    "[torpor.http]\nheader-timeout = 0ms\n",
    "[torpor.http]\nbody-timeout = 2h\n",
    "[torpor.http]\nidle-timeout = 0ms\n",
    "[torpor.http]\nwrite-timeout = 0ms\n",
    "[torpor.http]\nstop-timeout = 61min\n",
    "[torpor.http]\nlong-poll-timeout = 9ms\n",
    "[torpor.http]\nsse-lifetime = 9ms\n",
    "[torpor.http]\nrate-requests = 1000000001\n",
    "[torpor.http]\nrate-bytes = \"2TiB\"\n",
  };
  for (const auto text : cases) {
    INFO(text);
    CHECK(refusal(text).starts_with(":2: [torpor"));
  }
}

TEST_CASE("a syntax error is refused with its line") {
  const std::pair<std::string_view, std::string_view> cases[] = {
    {"[torpor]\n# no comment\n", ":2: "},
    {"[torpor]]\n", ":1: "},
    {"[torpor] log-level = \"info\"\n", ":1: "},
    {"[]\n", ":1: "},
    {"[torpor\nlog-level = \"info\"\n", ":1: "},
    {"[torpor]\ndata-dir = x\n", ":2: "},
    {"[torpor]\n\ndata-dir = \"x\n[torpor.sync]\n", ":3: "},
    {"[torpor.pool]\nworkers = 5x", ":2: "},
    {"[torpor.pool]\nworkers = 5 shards = 5\nreaders = 2\n", ":2: "},
    {"[torpor.pool]\nworkers = 99999999999999999999\n", ":2: "},
    {"[torpor.pool]\nworkers\n", ":2: "},
    {"[torpor.pool]\nworkers =\n", ":2: "},
    {std::string_view{"[torpor.pool]\n\0workers = 99\n", 28}, ":2: "},
  };
  for (const auto& [text, expected] : cases) {
    INFO(text);
    const auto said = refusal(text);
    INFO(said);
    CHECK(said.starts_with(expected));
  }
}

TEST_CASE("a value nested ever deeper is refused, and does no harm") {
  for (const std::string begin : {"[", "{a=", "{a=["}) {
    std::string value;
    while (value.size() < 1'000'000)
      value += begin;
    CHECK(refusal("[torpor]\nlog-level = " + value + "\n")
            .starts_with(":2: the value of log-level is not understood"));
    daemon_config config;
    const auto applied = apply_argument(config, "--torpor.sync.window=" + value);
    REQUIRE_FALSE(applied);
    CHECK(applied.error().code == errc::invalid_argument);
  }
}

TEST_CASE("a section or key that stands twice is refused, not merged") {
  CHECK(refusal("[torpor.sync]\nwindow = 1\n[torpor]\n[torpor.sync]\n")
        == ":4: section 'torpor.sync' stands on line 1 already; keep one "
           "of them");
  CHECK(refusal("[torpor.sync]\nwindow = 1\nwindow = 2\n")
          .starts_with(":3: key 'torpor.sync.window'"));
  CHECK(refusal("[torpor]\nsync = 5\n[torpor.sync]\nwindow = 2\n")
          .starts_with(":3: section 'torpor.sync'"));
  CHECK(refusal("[torpor]\nsync { window = 2 }\n")
          .starts_with(":2: 'sync { window = 2 }' is not understood"));
  CHECK(refusal("[torpor]\nsync = { window = 2 }\n")
          .starts_with(":2: [torpor] sync = { window = 2 }: no such option"));
}

TEST_CASE("the command line sets options without quotes") {
  daemon_config config;
  for (const auto* const each :
       {"--torpor.data-dir=5s", "--torpor.sync.max-delay=1min",
        "--torpor.sync.max-bytes=8KiB", "--torpor.sync.window=17",
        "--torpor.memory.tenants.acme=1MiB"}) {
    INFO(std::string{each});
    CHECK(apply_argument(config, each));
  }
  CHECK(config.store.data_dir == "5s");
  CHECK(config.store.sync.max_delay == 1min);
  CHECK(config.store.sync.max_bytes == 8192);
  CHECK(config.store.sync.window == 17);
  CHECK(config.store.memory.tenants.at("acme") == 1u << 20);
}

TEST_CASE("the command line is as strict as the file") {
  daemon_config config;
  const auto refused = apply_argument(config, "--torpor.sync.window=0");
  REQUIRE(!refused);
  CHECK(refused.error().context
        == "--torpor.sync.window=0: sync.window is 0, expected 1 to 65536");
  for (const auto* const each :
       {"--torpor.sync.window", "--torpor.sync.window=", "--torpor.=1",
        "--torpor.sync.windows=1", "--torpor.sync.window=9q",
        "--torpor.data-dir=", "--torpor.memory.tenants.=1", "data-dir=x"}) {
    INFO(std::string{each});
    CHECK(!apply_argument(config, each));
  }
  CHECK(fields(config) == fields(defaults()));
}
