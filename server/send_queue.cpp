// SPDX-License-Identifier: Apache-2.0
#include "server/send_queue.hpp"

#include "runtime/assert.hpp"

#include <algorithm>
#include <utility>

namespace torpor {

void send_queue::add(shared_text text, std::size_t skipped) {
  const auto size = text->size();
  if (skipped >= size)
    return;
  bytes_ += size - skipped;
  pieces_.push_back({std::move(text), skipped});
}

void send_queue::add(std::string_view text) {
  add(share(std::string{text}));
}

std::size_t send_queue::gather(std::span<iovec> into) const {
  std::size_t count = 0;
  for (auto i = first_; i < pieces_.size() && count < into.size(); ++i) {
    const auto& [text, begin] = pieces_[i];
    // writev does not change what it reads.
    into[count++] = {const_cast<char*>(text->data()) + begin,
                     text->size() - begin};
  }
  return count;
}

void send_queue::consume(std::size_t count) {
  TORPOR_ASSERT(count <= bytes_);
  bytes_ -= count;
  if (bytes_ == 0) {
    std::vector<piece>{}.swap(pieces_);
    first_ = 0;
    return;
  }
  while (count > 0) {
    auto& front = pieces_[first_];
    const auto sent = std::min(count, front.text->size() - front.begin);
    front.begin += sent;
    count -= sent;
    if (front.begin == front.text->size()) {
      front.text.reset();
      ++first_;
    }
  }
  if (2 * first_ > pieces_.size()) {
    pieces_.erase(pieces_.begin(),
                  pieces_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
  }
}

} // namespace torpor
