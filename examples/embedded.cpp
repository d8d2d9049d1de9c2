// SPDX-License-Identifier: Apache-2.0
// A store inside a program that has no actors: append, retry, read, follow.
//
//   example_embedded [DIRECTORY]
#include "examples/scratch_directory.hpp"
#include "torpor/torpor.hpp"

#include <future>
#include <iostream>
#include <vector>

using torpor::as_bytes;
using torpor::as_text;

namespace {

int complain(const torpor::error& why) {
  std::cerr << to_string(why) << '\n';
  return 1;
}

int run(const std::string& directory) {
  torpor::options options;
  options.data_dir = directory;
  const auto store = torpor::runtime::open(options);
  if (!store)
    return complain(store.error());

  // A handle costs next to nothing; the first append makes the stream. All
  // three are under way before one is waited for, so they can share a sync.
  const auto orders = store->stream("acme/orders");
  std::vector<std::future<torpor::result<torpor::append_result>>> sent;
  for (const auto* text : {"apples", "pears", "plums"})
    sent.push_back(orders.append(as_bytes(text)));
  for (auto& answer : sent) {
    const auto done = answer.get();
    if (!done)
      return complain(done.error());
    std::cout << "entry " << raw(done->first) << " is durable\n";
  }

  // Two writers believe that they are next; one of them is told otherwise.
  // Decide on the code: the text is for people.
  torpor::append_options as_fourth;
  as_fourth.expected_next = torpor::sequence{3};
  for (const auto* text : {"cherries", "grapes"}) {
    const auto done = orders.append(as_bytes(text), as_fourth).get();
    if (done)
      std::cout << "entry " << raw(done->first) << " is durable\n";
    else if (done.error().code == torpor::errc::conflict)
      std::cout << "refused: " << done.error().context << '\n';
    else
      return complain(done.error());
  }

  // A producer numbers its appends. When it repeats one because an answer got
  // lost, the entry is not written again and the first answer comes again.
  torpor::append_options from_till;
  from_till.producer = torpor::producer{"till-7", 1, 0};
  for (const auto* attempt : {"first", "second"}) {
    const auto done = orders.append(as_bytes("melons"), from_till).get();
    if (!done)
      return complain(done.error());
    std::cout << attempt << " attempt: entry " << raw(done->first)
              << (done->duplicate ? ", was there already\n" : "\n");
  }

  // A page owns the bytes that its entries point to.
  const auto page = orders.read().get();
  if (!page)
    return complain(page.error());
  for (const auto& entry : page->entries)
    std::cout << raw(entry.seq) << ' ' << as_text(entry.payload) << '\n';

  // A follower at the tail gets its answer when the next entry is durable.
  torpor::read_options behind_page;
  behind_page.from = page->next_from;
  torpor::follower tail{orders, behind_page};
  auto news = tail.next();
  if (const auto done = orders.append(as_bytes("quinces")).get(); !done)
    return complain(done.error());
  const auto fresh = news.get();
  if (!fresh)
    return complain(fresh.error());
  std::cout << "followed: " << as_text(fresh->entries[0].payload) << '\n';
  tail.advance(*fresh); // The next page begins behind this one.
  return 0;
} // The store makes everything durable and closes.

} // namespace

int main(int argc, char** argv) {
  const scratch_directory place{argc > 1 ? argv[1] : ""};
  return run(place.path());
}
