// SPDX-License-Identifier: Apache-2.0
#include "tests/daemon/reading_client.hpp"

#include "cli/stream_offset_text.hpp"
#include "tests/daemon/daemon_store.hpp"
#include "tests/daemon/event_stream.hpp"

#include <fmt/format.h>

namespace torpor::test {

void reading_client::read(const daemon_place& place) {
  if (how_ == way::events)
    return follow_events(place);
  http_client client{place};
  while (notes_.first_wrong().empty())
    if (!(how_ == way::catch_up ? read_anything(client) : follow(client)))
      return;
}

/// False when the daemon is gone.
bool reading_client::read_anything(http_client& from) {
  const auto stream = notes_.any_stream(random_());
  if (!stream)
    return true;
  read_options wanted;
  wanted.from = sequence{random_() % 3 == 0 ? 0 : random_() % 100};
  const auto promised = notes_.promises(*stream, wanted.from);
  const auto sent_before = notes_.requests();
  const auto page = read_page_once(from, stream->name, wanted);
  if (!page && (page.error().code == errc::io_failed
                || page.error().code == errc::shut_down))
    return false;
  // It may have come since.
  if (page || promised || page.error().code != errc::out_of_range)
    notes_.read(stream->name, wanted, page, sent_before);
  return true;
}

bool reading_client::follow(http_client& from) {
  read_options wanted;
  wanted.from = next_;
  wanted.wait = true;
  const auto sent_before = notes_.requests();
  const auto page = read_page_once(from, followed_.name, wanted);
  if (!page && (page.error().code == errc::io_failed
                || page.error().code == errc::shut_down))
    return false;
  if (!page) {
    notes_.wrong(fmt::format("a long-poll of '{}' from {}: {}", followed_.name,
                             raw(next_), to_string(page.error())));
    return false;
  }
  notes_.read(followed_.name, wanted, page, sent_before);
  if (page->entries.empty())
    return true;
  next_ = page->next_from;
  return true;
}

void reading_client::follow_events(const daemon_place& place) {
  while (notes_.first_wrong().empty()) {
    event_stream coming{place, followed_.name, next_};
    bool any = false;
    while (const auto event = coming.next()) {
      any = true;
      if (event->kind == "data")
        note_events(event->data);
      else if (event->data.find(offset_text(next_)) == std::string::npos)
        notes_.wrong(fmt::format("events of '{}' up to {} end with {}",
                                 followed_.name, raw(next_), event->data));
    }
    if (!any)
      return;
  }
}

/// The entries of a text come one behind the other: "7/0/xxx8/0/x".
void reading_client::note_events(const std::string& text) {
  for (std::size_t from = 0; from < text.size();) {
    const auto padding = text.find('/', text.find('/', from) + 1) + 1;
    const auto end = std::min(text.find_first_not_of('x', padding),
                              text.size());
    notes_.saw(followed_, next_, text.substr(from, end - from));
    next_ = next_ + 1;
    from = end;
  }
}

} // namespace torpor::test
