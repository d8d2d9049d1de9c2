// SPDX-License-Identifier: Apache-2.0
#include "tests/engine/lie_judge.hpp"

#include "tests/engine/request_batch.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace torpor::test {

namespace {

/// Says which stream it is, or which one it was forked from, and that it is
/// damaged or a file of it is missing.
bool names_damage(const error& why, const std::set<std::string>& streams) {
  const auto has = [&](const std::string& text) {
    return why.context.find(text) != std::string::npos;
  };
  return std::any_of(streams.begin(), streams.end(),
                     [&](const auto& each) {
                       return has("stream '" + each + "': entries ");
                     })
         && (why.code == errc::corrupt
             || (why.code == errc::io_failed && has(".segment'")));
}

} // namespace

std::string judge_refusal(const error& why,
                          const std::set<std::string>& lied_of) {
  constexpr std::string_view unfinished = ".tmp";
  const auto explains = [&](std::string lied) {
    if (lied.ends_with(unfinished))
      lied.resize(lied.size() - unfinished.size());
    const auto has = [&](char end) {
      return why.context.find('\'' + lied + end) != std::string::npos;
    };
    // A directory explains its files; so does a file that is not named.
    return has('\'') || has('/')
           || (lied.starts_with("store/journal/")
               && why.context.find("newer file") != std::string::npos);
  };
  if (why.code == errc::corrupt
      && std::any_of(lied_of.begin(), lied_of.end(), explains))
    return {};
  return fmt::format("after lies it does not open: {}", to_string(why));
}

std::string lie_judge::judge() {
  for (auto& info : store_.streams()) {
    auto& found = found_[info.id];
    found.info = std::move(info);
    if (auto wrong = look(found); !wrong.empty())
      return wrong;
  }
  for (std::uint64_t tag = 0; tag < promised_.size(); ++tag)
    if (auto wrong = judge(tag); !wrong.empty())
      return wrong;
  for (const auto& [id, found] : found_)
    for (const auto& [at, payload] : found.entries)
      if (const auto tag = origin_of(payload).tag; tag >= missing_from_)
        return fmt::format("request {} is missing without a word, and {}, "
                           "which was sent later, is there",
                           missing_, tag);
  return {};
}

/// Every entry of a stream, or an error that names it.
std::string lie_judge::look(stream& found) {
  const auto& info = found.info;
  read_options wanted;
  wanted.count_max = 7;
  wanted.from = info.first;
  while (wanted.from < info.next) {
    const auto page = store_.read({info.id, {}}, wanted);
    if (!page) {
      const auto& why = page.error();
      if (!names_damage(why, promised_.names_behind(info.name)))
        return fmt::format("after lies a read of '{}' from {}: {}", info.name,
                           raw(wanted.from), to_string(why));
      found.named.insert(raw(wanted.from));
      wanted.from = wanted.from + 1;
      ++named_;
      continue;
    }
    if (page->entries.empty() && page->next_from <= wanted.from)
      return fmt::format("after lies a read of '{}' stays at {} of {}",
                         info.name, raw(wanted.from), raw(info.next));
    if (auto wrong = take(found, wanted.from, *page); !wrong.empty())
      return wrong;
    wanted.from = page->next_from;
  }
  return {};
}

std::string lie_judge::take(stream& found, sequence wanted_from,
                            const read_page& page) {
  auto expected = raw(wanted_from);
  for (const auto& entry : page.entries) {
    if (raw(entry.seq) != expected++)
      return fmt::format("after lies entry {} of '{}' comes for {}",
                         raw(entry.seq), found.info.name, expected - 1);
    if (auto wrong = promised_.judge_bytes(found.info.name, entry);
        !wrong.empty())
      return fmt::format("after lies in '{}': {}", found.info.name, wrong);
    const std::string payload{as_text(entry.payload)};
    if (!found.payloads.insert(payload).second)
      return fmt::format("after lies entry {} of '{}' is there twice",
                         raw(entry.seq), found.info.name);
    found.entries.emplace(raw(entry.seq), payload);
  }
  return {};
}

/// What one acknowledged request put somewhere is there.
std::string lie_judge::judge(std::uint64_t tag) {
  const auto& request = promised_.at(tag);
  if (request.known != history::fate::durable)
    return {};
  const auto known = found_.find(request.id);
  if (request.kind == write_kind::remove)
    return known == found_.end() ? std::string{}
                                 : miss(tag, "the stream is back");
  if (known == found_.end())
    return promised_.may_be_gone(request.stream, request.id, before_)
             ? std::string{}
             : miss(tag, "the stream is missing");
  // Up to where a fork begins nothing is truncated.
  const auto& info = known->second.info;
  if (request.kind == write_kind::truncate && info.first < request.before
      && (info.origin.source == stream_id{} || request.before > info.origin.at))
    return miss(tag, fmt::format("it begins at {} again", raw(info.first)));
  for (std::size_t i = 0; i < request.payloads.size(); ++i) {
    const auto at = raw(request.first) + i;
    const auto& found = known->second;
    if (found.named.contains(at)
        || promised_.may_be_deleted(found.info, sequence{at}))
      continue;
    const auto entry = found.entries.find(at);
    if (entry == found.entries.end())
      return miss(tag, fmt::format("entry {} is missing", at));
    if (entry->second != request.payloads[i])
      return fmt::format("after lies entry {} of '{}' is another one", at,
                         request.stream);
  }
  const auto closes = request.closes || request.kind == write_kind::close;
  return closes && !info.closed ? miss(tag, "it is open again") : std::string{};
}

/// Before the lies that is a loss; later it may be the end of everything.
std::string lie_judge::miss(std::uint64_t tag, std::string_view what) {
  const auto& request = promised_.at(tag);
  ++silent_;
  // One that is sent again adds none: it may be the first after they began.
  const auto since = request.answered_at + (request.repeated ? 1 : 0);
  if (since <= before_)
    return fmt::format("after lies '{}' ({}): {}, but request {} was "
                       "acknowledged before them",
                       request.stream, raw(request.id), what, tag);
  if (!knows_damage_ && request.answered_at < missing_from_) {
    missing_from_ = request.answered_at;
    missing_ = tag;
  }
  return {};
}

} // namespace torpor::test
