// SPDX-License-Identifier: Apache-2.0
#include "torpor/write_batch.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace torpor;

namespace {

class catching_sink final : public write_sink {
public:
  void done(std::unique_ptr<write_batch> batch) override {
    caught = std::move(batch);
  }
  std::unique_ptr<write_batch> caught;
};

} // namespace

TEST_SUITE("write_batch") {
  TEST_CASE("requests keep their order and their own data") {
    write_batch batch;
    CHECK(batch.empty());
    CHECK(batch.create("a", {.policy = {.max_delay_ms = 7}}) == 0);
    append_options how;
    how.ack = ack::buffered;
    how.expected_next = sequence{5};
    how.producer = producer{"p", 2, 9};
    CHECK(batch.append({{}, "b"}, how, 77) == 1);
    batch.add(as_bytes("one"));
    batch.add(as_bytes("two"));
    CHECK(batch.control(write_kind::close, {stream_id{4}, "unused"}) == 2);
    CHECK(batch.set_policy({stream_id{4}, {}}, {.linger_ms = 3}) == 3);
    REQUIRE(batch.size() == 4);
    const auto& requests = batch.requests();
    CHECK(requests[0].kind == write_kind::create);
    CHECK(requests[1].kind == write_kind::append);
    CHECK(requests[1].ack == ack::buffered);
    CHECK(requests[1].has_expected);
    CHECK(requests[1].expected == sequence{5});
    CHECK(requests[1].has_producer);
    CHECK(requests[1].entries == 2);
    CHECK(requests[1].tag == 77);
    CHECK(requests[2].kind == write_kind::close);
    CHECK(requests[2].id == stream_id{4});
    CHECK(requests[2].name_bytes == 0);
    CHECK(requests[3].kind == write_kind::policy);
    CHECK(as_text(batch.bytes()) == "abponetwo");
    CHECK(batch.producers()[0].epoch == 2);
    CHECK(batch.producers()[0].number == 9);
    CHECK(batch.policies()[0].max_delay_ms == 7);
    CHECK(batch.policies()[1].linger_ms == 3);
  }

  TEST_CASE("names and ids that are far too long stay too long") {
    write_batch batch;
    batch.create(std::string(100'000, 'n'));
    append_options how;
    how.producer = producer{std::string(100'000, 'p'), 0, 0};
    batch.append({{}, std::string(65'537, 'n')}, how);
    CHECK(batch.requests()[0].name_bytes == limits::name_bytes_max + 1);
    CHECK(batch.requests()[1].name_bytes == limits::name_bytes_max + 1);
    CHECK(batch.producers()[0].id_bytes == limits::producer_id_bytes_max + 1);
  }

  TEST_CASE("a batch costs what its requests cost together") {
    write_batch batch;
    CHECK(batch.memory_bytes() == 0);
    batch.append({{}, "name"});
    batch.add(as_bytes("payload"), {{"k", "v"}});
    batch.append({{}, "x"});
    CHECK(batch.memory_bytes()
          == write_batch::cost(1, 1, 4 + 4 + 7) + write_batch::cost(1, 0, 1));
    CHECK(batch.memory_bytes() >= 16);
  }

  TEST_CASE("a batch is finished when every open answer came") {
    write_batch batch;
    batch.append({{}, "a"});
    batch.append({{}, "b"});
    batch.hold(3);
    CHECK_FALSE(batch.settle());
    CHECK_FALSE(batch.fail(1, {errc::closed, "stream 'b' is closed"}));
    CHECK(batch.settle());
    CHECK(batch.outcome(0).code == errc{});
    CHECK(batch.outcome(1).code == errc::closed);
    CHECK(batch.failure(1).context == "stream 'b' is closed");
    CHECK(batch.failure(0).context.empty());
  }

  TEST_CASE("a batch that cannot be sent fails in all its requests") {
    write_batch batch;
    batch.append({{}, "a"});
    batch.create("b");
    batch.fail_all({errc::shut_down, "gone"});
    for (std::size_t i = 0; i < 2; ++i) {
      CHECK(batch.outcome(i).code == errc::shut_down);
      CHECK(batch.failure(i).context == "gone");
    }
  }

  TEST_CASE("a finished batch comes to its sink, ids first") {
    catching_sink sink;
    auto learned = std::make_shared<std::atomic<std::uint64_t>>(0);
    auto unlearned = std::make_shared<std::atomic<std::uint64_t>>(0);
    auto batch = std::make_unique<write_batch>();
    batch->sink(&sink);
    batch->append({{}, "a"});
    batch->learn_id(learned);
    batch->append({{}, "b"});
    batch->learn_id(unlearned);
    batch->hold(2);
    batch->promise(0, {{}, false, 1, stream_id{259}, {}});
    batch->promise(1, {{}, false, 1, stream_id{260}, {}});
    CHECK_FALSE(batch->settle());
    CHECK(batch->fail(1, {errc::io_failed, ""}));
    const auto* address = batch.get();
    write_batch::finish(std::move(batch));
    CHECK(sink.caught.get() == address);
    CHECK(learned->load() == 259);
    CHECK(unlearned->load() == 0);
  }

  TEST_CASE("a batch without a sink just ends") {
    auto batch = std::make_unique<write_batch>();
    batch->append({{}, "a"});
    write_batch::finish(std::move(batch));
    CHECK(batch == nullptr);
  }

  TEST_CASE("a cleared batch is as good as new") {
    write_batch batch;
    append_options how;
    how.producer = producer{"p", 0, 0};
    batch.append({{}, "a"}, how);
    batch.add(as_bytes("x"));
    batch.set_policy({{}, "a"}, {});
    batch.hold(2);
    static_cast<void>(batch.fail(0, {errc::closed, "closed"}));
    batch.queued(true);
    batch.clear();
    CHECK(batch.empty());
    CHECK(batch.memory_bytes() == 0);
    CHECK(batch.bytes().empty());
    CHECK(batch.producers().empty());
    CHECK(batch.policies().empty());
    CHECK_FALSE(batch.queued());
    batch.append({{}, "b"});
    CHECK(batch.outcome(0).code == errc{});
    CHECK(batch.failure(0).context.empty());
    batch.hold(1);
    CHECK(batch.settle());
  }
}
