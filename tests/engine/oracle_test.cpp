// SPDX-License-Identifier: Apache-2.0
// The judge of all simulations and faults, judged: each thing that may never
// happen to a store is done to a list of payloads, and has to be found.
#include "tests/engine/inspection.hpp"
#include "tests/engine/lie_judge.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <map>
#include <utility>

namespace torpor::test {

namespace {

struct kept_stream {
  stream_info info;
  std::vector<std::string> payloads; ///< From `info.first` on.
  std::map<std::uint64_t, std::int64_t> times{}; ///< By sequence; 0 else.
};

/// A store that has whatever a test puts into it.
class made_up_store final : public inspected {
public:
  std::map<stream_id, kept_stream> kept;

  std::vector<stream_info> streams() override {
    std::vector<stream_info> all;
    for (auto& [id, stream] : kept) {
      stream.info.next = stream.info.first + stream.payloads.size();
      all.push_back(stream.info);
    }
    return all;
  }

  result<read_page> read(stream_ref stream,
                         const read_options& wanted) override {
    auto& from = kept.at(stream.id);
    if (wanted.from < from.info.first)
      return fail(errc::out_of_range, "truncated");
    read_page page;
    page.stream = stream.id;
    page.next = page.next_from = from.info.next;
    for (auto at = raw(wanted.from) - raw(from.info.first);
         at < from.payloads.size(); ++at)
      page.entries.push_back({from.info.first + at,
                              from.times[raw(from.info.first) + at],
                              as_bytes(from.payloads[at]),
                              {}});
    return page;
  }
};

constexpr stream_id one{257};
constexpr stream_id other{513};

history::write_request request_for(const std::string& stream, write_kind kind,
                                   std::vector<std::string> payloads = {}) {
  history::write_request request;
  request.kind = kind;
  request.stream = stream;
  request.ack = ack::durable;
  request.payloads = std::move(payloads);
  request.bare = true;
  return request;
}

/// A driver's history and the store that it is about: "a" with two durable
/// requests of two entries each, and a request without an answer.
struct told_store {
  told_store() {
    add(one, "a");
    append(2, ack::durable);
    append(2, ack::durable);
    told.sent(request_for("a", write_kind::append, {"2/0/x", "2/1/x"}));
  }

  void add(stream_id id, const std::string& name) {
    store.kept[id].info.id = id;
    store.kept[id].info.name = name;
  }

  void append(std::size_t count, ack how) {
    auto& payloads = store.kept[one].payloads;
    auto request = request_for("a", write_kind::append);
    request.ack = how;
    for (std::size_t i = 0; i < count; ++i)
      request.payloads.push_back(fmt::format("{}/{}/x", told.size(), i));
    write_outcome outcome;
    outcome.stream = one;
    outcome.first = sequence{payloads.size()};
    outcome.count = static_cast<std::uint32_t>(count);
    payloads.insert(payloads.end(), request.payloads.begin(),
                    request.payloads.end());
    told.answered(told.sent(std::move(request)), outcome);
  }

  void acknowledge(write_kind kind, sequence before = {}) {
    auto request = request_for("a", kind);
    request.before = before;
    write_outcome outcome;
    outcome.stream = one;
    told.answered(told.sent(std::move(request)), outcome);
  }

  std::vector<std::string>& payloads() { return store.kept[one].payloads; }
  std::string verdict() { return inspect(store, told); }

  made_up_store store;
  history told;
};

} // namespace

TEST_CASE("the judge has nothing against a store that keeps its word") {
  told_store all;
  CHECK(all.verdict() == "");
  SUBCASE("twice") {}
  SUBCASE("with the whole of a request that nobody answered") {
    all.payloads().insert(all.payloads().end(), {"2/0/x", "2/1/x"});
  }
  SUBCASE("with buffered entries, which a crash may take") {
    all.append(1, ack::buffered);
    all.told.crashed();
    all.payloads().pop_back();
  }
  CHECK(all.verdict() == "");
}

TEST_CASE("the judge finds an acknowledged entry that is missing") {
  told_store all;
  SUBCASE("at the end") { all.payloads().resize(2); }
  SUBCASE("in the middle") { all.payloads().erase(all.payloads().begin() + 1); }
  SUBCASE("with its stream") { all.store.kept.clear(); }
  CHECK(all.verdict() != "");
}

TEST_CASE("the judge finds bytes that nobody appended") {
  told_store all;
  SUBCASE("in an acknowledged entry") { all.payloads()[1] = "0/1/y"; }
  SUBCASE("in one behind") { all.payloads().push_back("rubbish"); }
  CHECK(all.verdict() != "");
}

TEST_CASE("the judge finds entries that are out of order or there twice") {
  told_store all;
  SUBCASE("swapped") {
    std::swap(all.payloads()[0], all.payloads()[2]);
    std::swap(all.payloads()[1], all.payloads()[3]);
  }
  SUBCASE("twice") {
    all.payloads().insert(all.payloads().end(), {"1/0/x", "1/1/x"});
  }
  CHECK(all.verdict() != "");
}

TEST_CASE("the judge finds what is there of an unanswered request in part") {
  told_store all;
  all.payloads().push_back("2/0/x");
  CHECK(all.verdict() != "");
}

TEST_CASE("the judge finds an entry in another stream than its own") {
  told_store all;
  all.add(other, "b");
  all.store.kept[other].payloads = {"2/0/x", "2/1/x"};
  CHECK(all.verdict() != "");
}

TEST_CASE("the judge finds what was refused and is there") {
  told_store all;
  write_outcome outcome;
  outcome.code = errc::overloaded;
  const auto tag = all.told.sent(
    request_for("a", write_kind::append, {"3/0/x"}));
  all.told.answered(tag, outcome);
  CHECK(all.verdict() == "");
  all.payloads().push_back("3/0/x");
  CHECK(all.verdict() != "");
}

TEST_CASE("the judge finds an acknowledged change that goes back") {
  told_store all;
  SUBCASE("a close") { all.acknowledge(write_kind::close); }
  SUBCASE("a delete") { all.acknowledge(write_kind::remove); }
  SUBCASE("a truncation") {
    all.acknowledge(write_kind::truncate, sequence{2});
  }
  CHECK(all.verdict() != "");
}

TEST_CASE("the judge finds a truncation that nobody asked for") {
  told_store all;
  all.store.kept[one].info.first = sequence{2};
  all.payloads().erase(all.payloads().begin(), all.payloads().begin() + 2);
  CHECK(all.verdict() != "");
}

TEST_CASE("the judge finds what a reader has seen and is gone") {
  told_store all;
  all.payloads().insert(all.payloads().end(), {"2/0/x", "2/1/x"});
  CHECK(all.verdict() == "");
  all.payloads().resize(4);
  CHECK(all.verdict() != "");
}

TEST_CASE("the judge finds an entry whose time has changed") {
  told_store all;
  auto& times = all.store.kept[one].times;
  times = {{0, 5}, {1, 5}, {2, 6}, {3, 7}};
  CHECK(all.verdict() == "");
  SUBCASE("since a reader saw it") {
    times[2] = 7;
  }
  SUBCASE("to one before that of an older one") {
    all.append(1, ack::durable);
    times[4] = 6;
  }
  CHECK(all.verdict() != "");
}

TEST_CASE("the judge finds a fork that is not what its source was") {
  told_store all;
  auto made = request_for("f", write_kind::create, {"3/0/x"});
  made.source = "a";
  made.at = sequence{2};
  write_outcome outcome;
  outcome.stream = other;
  outcome.first = sequence{2};
  outcome.count = 1;
  all.told.answered(all.told.sent(std::move(made)), outcome);
  all.add(other, "f");
  auto& fork = all.store.kept[other];
  fork.info.origin = {one, sequence{2}};
  fork.payloads = {"0/0/x", "0/1/x", "3/0/x"};
  CHECK(all.verdict() == "");
  SUBCASE("another entry is inherited") { fork.payloads[1] = "1/0/x"; }
  SUBCASE("one is missing that its source still has") {
    fork.info.first = sequence{1};
    fork.payloads.erase(fork.payloads.begin());
  }
  SUBCASE("its own is missing") { fork.payloads.pop_back(); }
  SUBCASE("it is open, and was closed") {
    auto close = request_for("f", write_kind::close);
    outcome.count = 0;
    all.told.answered(all.told.sent(std::move(close)), outcome);
  }
  CHECK(all.verdict() != "");
}

TEST_CASE("what was done to a stream excuses nothing in the next one of its name") {
  told_store all;
  all.acknowledge(write_kind::truncate, sequence{2});
  all.acknowledge(write_kind::close);
  all.acknowledge(write_kind::remove);
  all.store.kept.clear();
  CHECK(all.verdict() == "");
  all.add(other, "a");
  auto& next = all.store.kept[other];
  std::vector<std::string> payloads;
  for (int i = 0; i < 4; ++i)
    payloads.push_back(fmt::format("{}/{}/x", all.told.size(), i));
  write_outcome outcome;
  outcome.stream = other;
  const auto tag = all.told.sent(
    request_for("a", write_kind::append, payloads));
  all.told.answered(tag, outcome);
  next.payloads = payloads;
  CHECK(all.verdict() == "");
  SUBCASE("entries go") {
    next.info.first = sequence{2};
    next.payloads.erase(next.payloads.begin(), next.payloads.begin() + 2);
  }
  SUBCASE("it is closed") { next.info.closed = true; }
  SUBCASE("it is lost, and a disk has lied since") {
    all.store.kept.clear();
    CHECK(lie_judge{all.store, all.told, all.told.size()}.judge() != "");
  }
  CHECK(all.verdict() != "");
}

TEST_CASE("the judge finds a read that does not know what was acknowledged") {
  told_store all;
  const auto page_to = [](std::uint64_t next) {
    read_page page;
    page.stream = one;
    page.next = page.next_from = sequence{next};
    return page;
  };
  read_options asked;
  asked.from = sequence{2};
  // When it was sent there was the first request only.
  CHECK(all.told.judge("a", asked, page_to(2), false, 2) == "");
  CHECK(all.told.judge("a", asked, page_to(2), false, 3) != "");
}

TEST_CASE("a delete that nobody knows of is decided by the next opening") {
  told_store all;
  const auto tag = all.told.sent(request_for("a", write_kind::remove));
  write_outcome outcome;
  outcome.code = errc::io_failed;
  all.told.answered(tag, outcome);
  SUBCASE("it was not carried out") {
    CHECK(all.verdict() == "");
    all.store.kept.clear();
    CHECK(all.verdict() != "");
  }
  SUBCASE("it was") {
    const auto stream = all.store.kept[one];
    all.store.kept.clear();
    CHECK(all.verdict() == "");
    all.store.kept[one] = stream;
    CHECK(all.verdict() != "");
  }
}

TEST_CASE("the judge lets bounds take what they bound, and no more") {
  told_store all;
  auto bound = request_for("a", write_kind::retention);
  bound.keep.entries = 3;
  write_outcome outcome;
  outcome.stream = one;
  all.told.answered(all.told.sent(std::move(bound)), outcome);
  const auto take = [&](std::uint64_t count) {
    all.store.kept[one].info.first = sequence{count};
    auto& payloads = all.payloads();
    payloads.erase(payloads.begin(),
                   payloads.begin() + static_cast<std::ptrdiff_t>(count));
  };
  SUBCASE("one of four") {
    take(1);
    CHECK(all.verdict() == "");
  }
  SUBCASE("two of four") {
    take(2);
    CHECK(all.verdict() != "");
  }
  SUBCASE("the whole stream") {
    all.store.kept.clear();
    CHECK(all.verdict() != "");
  }
}

TEST_CASE(
  "the judge lets a bound on bytes take what is too much, and no more") {
  told_store all;
  all.add(other, "b");
  write_outcome outcome;
  outcome.stream = other;
  auto bound = request_for("b", write_kind::retention);
  bound.keep.bytes = 4096;
  all.told.answered(all.told.sent(std::move(bound)), outcome);
  auto& kept = all.store.kept[other];
  for (; kept.payloads.size() < 20; outcome.first = outcome.first + 1) {
    kept.payloads.push_back(
      fmt::format("{}/0/{}", all.told.size(), std::string(300, 'x')));
    auto request = request_for("b", write_kind::append, {kept.payloads.back()});
    all.told.answered(all.told.sent(std::move(request)), outcome);
  }
  const auto take = [&](std::uint64_t count) {
    kept.info.first = sequence{count};
    const auto begin = kept.payloads.begin();
    kept.payloads.erase(begin, begin + static_cast<std::ptrdiff_t>(count));
  };
  SUBCASE("one of its 16ths more") {
    take(8);
    CHECK(all.verdict() == "");
  }
  SUBCASE("two more") {
    take(10);
    CHECK(all.verdict() != "");
  }
  SUBCASE("nearly all") {
    take(19);
    CHECK(all.verdict() != "");
  }
}

TEST_CASE("the judge finds what bounds should have taken after a quiet time") {
  told_store all;
  constexpr std::int64_t hour_ms = 3'600'000;
  all.told.turned(1'000);
  auto bound = request_for("a", write_kind::retention);
  retention_policy rule;
  SUBCASE("by age") {
    bound.keep.age_ms = 100;
  }
  SUBCASE("by number") {
    bound.keep.entries = 4;
  }
  SUBCASE("by bytes") {
    bound.keep.bytes = 100;
  }
  SUBCASE("by a time to live") {
    bound.keep.ttl_ms = 100;
  }
  SUBCASE("by a date") {
    bound.keep.expires_ms = 2 * hour_ms;
  }
  SUBCASE("by a rule of the store's") {
    rule.age_ms = 100;
  }
  if (rule.age_ms != 0)
    all.told.rule("a", rule);
  write_outcome outcome;
  outcome.stream = one;
  all.told.answered(all.told.sent(std::move(bound)), outcome);
  all.payloads().clear(); // Those before the bound are not counted.
  for (int i = 0; i < 40; ++i)
    all.append(1, ack::durable);
  all.told.turned(3 * hour_ms);
  CHECK(inspect_excess(all.store, all.told, 1'000) != "");
  all.store.kept.clear();
  CHECK(inspect_excess(all.store, all.told, 1'000) == "");
}

TEST_CASE("the judge grants bounds what is within them, and an hour") {
  told_store all;
  all.told.turned(1'000);
  auto bound = request_for("a", write_kind::retention);
  SUBCASE("by age") {
    bound.keep.age_ms = 100;
  }
  SUBCASE("by number") {
    bound.keep.entries = 4;
  }
  SUBCASE("by bytes") {
    bound.keep.bytes = 30;
  }
  SUBCASE("by a time to live") {
    bound.keep.ttl_ms = 100;
  }
  SUBCASE("by a date") {
    bound.keep.expires_ms = 3'000'001;
  }
  write_outcome outcome;
  outcome.stream = one;
  all.told.answered(all.told.sent(std::move(bound)), outcome);
  all.told.turned(3'000'000);
  CHECK(inspect_excess(all.store, all.told, 1'000) == "");
}

TEST_CASE("the judge finds an answer that cannot be") {
  told_store all;
  write_outcome outcome;
  SUBCASE("a refusal without a reason") {
    outcome.code = errc::fenced;
    all.told.answered(2, outcome);
  }
  SUBCASE("a duplicate of what nobody sent before") {
    outcome.stream = one;
    outcome.duplicate = true;
    all.told.answered(2, outcome);
  }
  SUBCASE("an append to what was closed before") {
    all.acknowledge(write_kind::close);
    all.store.kept[one].info.closed = true;
    all.append(1, ack::durable);
  }
  CHECK(all.verdict() != "");
}

TEST_CASE("the judge does not take a repetition for as old as the first try") {
  told_store all;
  auto& told = all.told;
  told.turned(1'000'000);
  auto first = request_for("b", write_kind::append, {"3/0/x"});
  first.by = producer{"p", 0, 0};
  write_outcome outcome;
  outcome.stream = other;
  const auto tag = told.sent(std::move(first));
  told.answered(tag, outcome);
  told.answered(told.sent(request_for("b", write_kind::remove)), outcome);
  // The clock goes back, and the name comes back as another stream.
  told.turned(1'000);
  constexpr stream_id third{769};
  outcome.stream = third;
  told.again(tag);
  told.answered(tag, outcome);
  auto bound = request_for("b", write_kind::retention);
  bound.keep.ttl_ms = 100;
  told.answered(told.sent(std::move(bound)), outcome);
  told.turned(2'000);
  CHECK(all.verdict() == "");
}

TEST_CASE("a delete that was not carried out may be when it is sent again") {
  told_store all;
  auto& told = all.told;
  const auto tag = told.sent(request_for("a", write_kind::remove));
  const auto is_gone = [&] {
    const result<read_page> page = fail(errc::not_found, "no 'a'");
    return told.judge("a", {}, page, false, told.size()).empty();
  };
  CHECK(is_gone());
  told.crashed();
  CHECK(all.verdict() == "");
  CHECK_FALSE(is_gone());
  told.again(tag);
  CHECK(is_gone());
}

TEST_CASE("what had expired may be back when the clock is set back") {
  told_store all;
  auto& told = all.told;
  told.turned(1'000);
  auto bound = request_for("a", write_kind::retention);
  bound.keep.ttl_ms = 100;
  write_outcome outcome;
  outcome.stream = one;
  told.answered(told.sent(std::move(bound)), outcome);
  const auto tag = told.sent(request_for("a", write_kind::remove));
  outcome.code = errc::io_failed;
  told.answered(tag, outcome);
  told.turned(2'000);
  const auto stream = all.store.kept[one];
  all.store.kept.clear();
  CHECK(all.verdict() == "");
  told.turned(1'050);
  all.store.kept[one] = stream;
  CHECK(all.verdict() == "");
}

TEST_CASE("the judge of lies lets them explain what they were told of only") {
  const error why{errc::corrupt, "journal 'store/journal/7.journal' at byte 9"};
  CHECK(judge_refusal(why, {"store/journal/7.journal"}) == "");
  CHECK(judge_refusal(why, {"store/journal/7.journal.tmp"}) == "");
  CHECK(judge_refusal(why, {"store/journal"}) == "");
  CHECK(judge_refusal(why, {}) != "");
  CHECK(judge_refusal(why, {"store/journal/8.journal", "store/segments"})
        != "");
  CHECK(judge_refusal({errc::io_failed, why.context}, {"store/journal"}) != "");
}

TEST_CASE("the judge of lies finds an entry that is there twice") {
  told_store all;
  auto& payloads = all.payloads();
  payloads.insert(payloads.end(), {"2/0/x", "2/1/x"});
  CHECK(lie_judge{all.store, all.told, 0}.judge() == "");
  payloads.insert(payloads.end(), {"2/0/x", "2/1/x"});
  CHECK(lie_judge{all.store, all.told, 0}.judge() != "");
}

TEST_CASE("the judge of lies finds changes that go back alone") {
  told_store all;
  const auto before = all.told.size();
  SUBCASE("a truncation") {
    all.acknowledge(write_kind::truncate, sequence{2});
  }
  SUBCASE("a close") {
    all.acknowledge(write_kind::close);
  }
  CHECK(lie_judge{all.store, all.told, all.told.size()}.judge() != "");
  CHECK(lie_judge{all.store, all.told, before}.judge() == "");
  all.add(other, "b");
  write_outcome outcome;
  outcome.stream = other;
  all.store.kept[other].payloads = {fmt::format("{}/0/x", all.told.size())};
  const auto later = all.told.sent(
    request_for("b", write_kind::append, all.store.kept[other].payloads));
  all.told.answered(later, outcome);
  CHECK(lie_judge{all.store, all.told, before}.judge() != "");
}

TEST_CASE("what was sent again first after the lies had begun came after that") {
  told_store all;
  const auto before = all.told.size();
  all.payloads().resize(2); // The second request's are lost.
  CHECK(lie_judge{all.store, all.told, before}.judge() != "");
  all.told.again(1);
  CHECK(lie_judge{all.store, all.told, before}.judge() != "");
  write_outcome outcome;
  outcome.stream = one;
  outcome.first = sequence{2};
  all.told.answered(1, outcome);
  CHECK(lie_judge{all.store, all.told, before}.judge() == "");
}

TEST_CASE("damage that is known excuses what came after the lies had begun") {
  told_store all;
  const auto verdict = [&](std::uint64_t before) {
    lie_judge judge{all.store, all.told, before};
    judge.know_damage();
    return judge.judge();
  };
  // The first request is lost, the second is there.
  all.store.kept[one].info.first = sequence{2};
  all.payloads().erase(all.payloads().begin(), all.payloads().begin() + 2);
  CHECK(lie_judge{all.store, all.told, 0}.judge() != "");
  CHECK(verdict(0) == "");
  CHECK(verdict(1) != "");
  all.payloads()[0] = "0/0/x"; // Nothing excuses another one in its place.
  CHECK(verdict(0) != "");
}

TEST_CASE("the judge of lies does not trust a renewal that they may have lost") {
  told_store all;
  auto& told = all.told;
  const auto bound = [&](std::int64_t at_ms) {
    told.turned(at_ms);
    auto request = request_for("a", write_kind::retention);
    request.keep.ttl_ms = 100;
    write_outcome outcome;
    outcome.stream = one;
    told.answered(told.sent(std::move(request)), outcome);
  };
  bound(1'000);
  const auto before = told.size();
  bound(1'090);
  told.turned(1'110); // It ended at 1,100, or ends at 1,190.
  all.store.kept.clear();
  CHECK(lie_judge{all.store, told, told.size()}.judge() != "");
  CHECK(lie_judge{all.store, told, before}.judge() == "");
}

} // namespace torpor::test
