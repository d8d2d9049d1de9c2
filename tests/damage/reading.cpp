// SPDX-License-Identifier: Apache-2.0
#include "tests/damage/reading.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace torpor::test {

namespace {

std::string told(const entry_view& entry) {
  std::string text(reinterpret_cast<const char*>(&entry.time_ms),
                   sizeof entry.time_ms);
  text += as_text(entry.encoded);
  return text.append(1, '/').append(as_text(entry.payload));
}

std::string told(const stream_info& info) {
  return fmt::format("{} to {} last {} closed {} type '{}' of {} at {} forks "
                     "{} producers {}",
                     raw(info.first), raw(info.next), info.last_ms, info.closed,
                     info.content_type, raw(info.origin.source),
                     raw(info.origin.at), info.forks, info.producers);
}

/// The page's entries; false when there was an error or a gap.
bool take(result<read_page> page, read_stream& into, read_options& wanted,
          sequence next) {
  if (!page) {
    into.refused = std::move(page.error());
    return false;
  }
  for (const auto& entry : page->entries) {
    if (entry.seq != into.first + into.entries.size())
      into.facts += fmt::format("; entry {} is out of place", raw(entry.seq));
    into.entries.push_back(told(entry));
  }
  if (page->entries.empty() && page->next_from != next)
    into.facts += fmt::format("; an empty page at {}", raw(wanted.from));
  wanted.from = page->next_from;
  return !page->entries.empty() && wanted.from != next;
}

void read_by_time(inspected_store& from, const stream_info& info,
                  read_stream& into) {
  read_options wanted;
  wanted.from_time = info.last_ms - 1;
  wanted.count_max = 1;
  const auto page = from.read({info.id, {}}, wanted);
  if (page)
    into.by_time = page->entries.empty()
                     ? fmt::format("none {}", raw(page->next_from))
                     : fmt::format("{}", raw(page->entries.front().seq));
}

read_stream read_stream_of(inspected_store& from, stream_id id,
                           const std::string& name) {
  read_stream all;
  all.name = name;
  const auto info = from.info({id, {}});
  if (!info) {
    all.refused = info.error();
    return all;
  }
  all.facts = told(*info);
  all.first = info->first;
  read_options wanted;
  wanted.count_max = 7;
  wanted.from = info->first;
  while (take(from.read({id, {}}, wanted), all, wanted, info->next))
    ;
  read_by_time(from, *info, all);
  return all;
}

std::string in_words(std::string_view name, std::string_view what) {
  return fmt::format("stream '{}': {}", name, what);
}

bool is_part(const read_stream& part, const read_stream& whole) {
  for (std::size_t i = 0; i < part.entries.size(); ++i) {
    const auto at = raw(part.first) + i;
    if (at < raw(whole.first))
      continue; // Not truncated any more, for who was told of damage.
    if (at - raw(whole.first) >= whole.entries.size()
        || part.entries[i] != whole.entries[at - raw(whole.first)])
      return false;
  }
  return true;
}

/// It has to say of which stream and range, or of which file and byte. What a
/// fork has inherited is its source's.
bool names_all(const error& why) {
  const auto has = [&](std::string_view text) {
    return why.context.find(text) != std::string::npos;
  };
  const auto range = has("stream '") && has("entries ") && has(" to ");
  const auto place = has("catalog '") || has(" at byte ");
  return (why.code == errc::corrupt || why.code == errc::incompatible
          || why.code == errc::io_failed)
         && (range || place);
}

} // namespace

store_reading read_all(inspected_store& from) {
  store_reading all;
  all.damages = from.opened().scan.damages;
  if (auto whole = from.whole(); !whole)
    all.incomplete = whole.error();
  const auto names = from.list_all({}, 10'000);
  if (!names) {
    all.unlisted = names.error();
    return all;
  }
  for (const auto& [name, id] : *names) {
    auto stream = read_stream_of(from, id, name);
    if (stream.refused && stream.refused->code == errc::gone)
      all.buried.insert(id);
    else
      all.streams.emplace(id, std::move(stream));
  }
  return all;
}

std::string compare(const lived_store& lived, const store_reading& found) {
  std::map<std::string, const read_stream*> by_name;
  for (const auto& [id, each] : found.streams)
    by_name[each.name] = &each;
  for (const auto& [name, known] : lived.told) {
    const auto at = by_name.find(name);
    if (at == by_name.end())
      return in_words(name, "it is missing");
    const auto& stream = *at->second;
    const auto closed = stream.facts.find("closed true") != std::string::npos;
    if (stream.refused || closed != known.closed
        || raw(stream.first) != known.first
        || stream.entries.size() + known.first != known.payloads.size())
      return in_words(name, fmt::format("{} entries: {} {}",
                                        stream.entries.size(), stream.facts,
                                        stream.refused
                                          ? to_string(*stream.refused)
                                          : ""));
    for (std::size_t i = 0; i < stream.entries.size(); ++i)
      if (!stream.entries[i].ends_with("/" + known.payloads[known.first + i]))
        return in_words(name, fmt::format("entry {} is another", i));
    by_name.erase(at);
  }
  return by_name.empty() ? std::string{}
                         : in_words(by_name.begin()->first, "it is there");
}

comparison compare(const store_reading& truth, const store_reading& found,
                   const std::set<stream_id>& shortened) {
  comparison done;
  if (found.unlisted) {
    if (!names_all(*found.unlisted))
      done.wrong = "the list: " + to_string(*found.unlisted);
    for (const auto& [id, was] : truth.streams)
      done.refused.insert(id);
    return done;
  }
  for (const auto& [id, was] : truth.streams) {
    const auto at = found.streams.find(id);
    const auto excused = shortened.contains(id);
    if (at == found.streams.end()) {
      if (!excused)
        done.wrong = in_words(was.name, "it is gone");
      continue;
    }
    const auto& is = at->second;
    if (!is_part(is, was))
      done.wrong = in_words(was.name, "wrong bytes");
    else if (is.refused && !excused && !names_all(*is.refused))
      done.wrong = in_words(was.name, to_string(*is.refused));
    else if (is.refused)
      done.refused.insert(id);
    else if (!excused
             && (is.facts != was.facts || is.entries.size() != was.entries.size()))
      done.wrong = in_words(was.name, fmt::format("{} entries for {}: {} for {}",
                                                  is.entries.size(),
                                                  was.entries.size(), is.facts,
                                                  was.facts));
    if (!excused && !is.by_time.empty() && is.by_time != was.by_time)
      done.wrong = in_words(was.name, "by time it begins at " + is.by_time);
    if (is.by_time.empty() && !was.by_time.empty())
      done.refused.insert(id);
  }
  for (const auto& [id, is] : found.streams)
    if (!found.incomplete && !truth.streams.contains(id) && !truth.buried.contains(id)
        && !shortened.contains(id))
      done.wrong = in_words(is.name, "it is back");
  return done;
}

std::set<stream_id> with_forks(const store_reading& truth,
                               std::set<stream_id> what) {
  for (const auto& [id, stream] : truth.streams)
    for (const auto source : std::set{what})
      if (stream.facts.find(fmt::format(" of {} at", raw(source)))
          != std::string::npos)
        what.insert(id);
  return what;
}

} // namespace torpor::test
