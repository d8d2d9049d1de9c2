// SPDX-License-Identifier: Apache-2.0
// The part of driver that plays on a disk that lies: it reports writes and
// syncs done that are not. Nobody can keep what such a disk loses; but what is
// lost is named, save for the newest requests, and nothing else is served in
// its place.
#include "tests/engine/driver.hpp"
#include "tests/engine/lie_judge.hpp"
#include "tests/engine/resting_view.hpp"
#include "tests/engine/store_view.hpp"

#include <fmt/format.h>

namespace torpor::test {

std::string driver::play_lies() {
  store_.run();
  const auto before = history_.size();
  store_.disk->lie(chance(50) ? 100 : static_cast<unsigned>(1 + pick(50)));
  note("the disk lies");
  if (chance(30))
    store_.disk->crash_at(1 + pick(120));
  faulty_ = true;
  work(20 + pick(100));
  look_at_segments();
  store_.kill();
  store_.disk->crash();
  note("crashed");
  history_.crashed();
  if (!wrong_.empty())
    return wrong_;
  if (!history_.wrong().empty())
    return history_.wrong();
  // The second opening finds what the first one made of it.
  std::set<std::string> heard;
  for (int openings = 0; openings < 2; ++openings)
    if (auto wrong = open_after_lies(before, heard); !wrong.empty())
      return wrong;
  return heard.size() == 1 ? std::string{}
                           : fmt::format("after lies two openings differ: {}",
                                         fmt::join(heard, "; "));
}

std::string driver::open_after_lies(std::uint64_t before,
                                    std::set<std::string>& heard) {
  store_.heal();
  store_.disk->restart();
  note("opens after lies");
  const auto opened = store_.open();
  heard.insert(opened ? "it opens" : to_string(opened.error()));
  if (!opened) {
    note(happening::refused_opening);
    note(to_string(opened.error()));
    auto wrong = judge_refusal(opened.error(), store_.disk->lied_of());
    return wrong.empty() ? inspect_after_lies(before) : wrong;
  }
  store_view store{store_};
  lie_judge judge{store, history_, before};
  auto wrong = judge.judge();
  if (judge.named() > 0)
    note(happening::named_damage);
  if (judge.silent() > 0)
    note(happening::silent_tail);
  if (wrong.empty() && !store_.disk->violations().empty())
    wrong = "broken rule: " + store_.disk->violations().front();
  store_.kill();
  return wrong;
}

/// What cannot be opened can be looked at, and says nothing wrong.
std::string driver::inspect_after_lies(std::uint64_t before) {
  auto opened = store_.inspect();
  if (!opened)
    return fmt::format("after lies nobody can look at it: {}",
                       to_string(opened.error()));
  resting_view store{std::move(*opened)};
  lie_judge judge{store, history_, before};
  judge.know_damage();
  auto wrong = judge.judge();
  return wrong.empty() ? wrong : "at rest: " + wrong;
}

} // namespace torpor::test
