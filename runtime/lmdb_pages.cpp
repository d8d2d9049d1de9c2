// SPDX-License-Identifier: Apache-2.0
#include "runtime/lmdb_pages.hpp"

#include "runtime/posix_disk.hpp"

#include <algorithm>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace torpor {

namespace {

using page_number = std::uint64_t;

// A page: u64 number, u16, u16 flags, u16 lower, u16 upper; a value that has
// pages for itself has u32 pages in place of the last two.
constexpr std::size_t flags_at = 10;
constexpr std::size_t lower_at = 12;
constexpr std::size_t upper_at = 14;
constexpr std::size_t pages_at = 12;
constexpr std::size_t page_head = value_pages::head_bytes;
enum page_flags : std::uint16_t { branch = 1, leaf = 2, overflow = 4 };

// Behind the head of a branch or leaf, up to `lower`: u16 offsets of nodes. A
// node: u32 size of the value, u16 flags, u16 size of the key, key, value. In a
// branch the first three are the number of a page.
constexpr std::size_t node_flags_at = 4;
constexpr std::size_t key_bytes_at = 6;
constexpr std::size_t node_head = 8;
enum node_flags : std::uint16_t { has_pages = 1, is_tree = 2 };

// The first two pages are roots: behind the head u32 magic, u32 version, and
// further on the trees of free pages and of everything else, then u64 last page,
// u64 transaction. A tree: 48 bytes, the first 4 of the first one the size of a
// page, then u16 flags; the last 8 of each its root.
constexpr std::uint32_t magic = 0xBEEFC0DE;
constexpr std::uint32_t version = 1;
constexpr std::size_t version_at = page_head + 4;
constexpr std::size_t free_tree_at = page_head + 24;
constexpr std::size_t tree_bytes = 48;
constexpr std::size_t tree_flags_at = 4;
constexpr std::size_t tree_root_at = 40;
constexpr std::size_t main_tree_at = free_tree_at + tree_bytes;
constexpr std::size_t last_page_at = main_tree_at + tree_bytes;
constexpr std::size_t transaction_at = last_page_at + 8;
constexpr std::size_t root_bytes = transaction_at + 8;
constexpr page_number no_root = ~page_number{0};
constexpr page_number first_page = 2;

template <class T>
T load(bytes_view from, std::size_t at) {
  T value;
  std::memcpy(&value, from.data() + at, sizeof value);
  return value;
}

page_number root_of(bytes_view tree) {
  return load<page_number>(tree, tree_root_at);
}

/// One look at one file. Threads: one owner.
class page_check {
public:
  page_check(const file& data, std::string directory)
    : data_{data},
      directory_{std::move(directory)} {}

  result<void> run(lmdb_look how) {
    const auto ours = read_roots();
    if (!ours || !*ours || (how == lmdb_look::end && end_ <= pages_there_))
      return ours.map([](bool) {});
    // Each that is missing is in the list, and that is in the file.
    if (end_ > pages_there_
        && end_ - pages_there_ > pages_there_ * page_bytes_ / sizeof end_)
      return ends_early();
    used_.resize(end_);
    auto done = walk(root_of(tree(free_tree_at)), kind::free_pages);
    for (auto page = pages_there_; done && page < end_; ++page)
      if (!used_[page])
        return ends_early();
    if (done && how == lmdb_look::all)
      done = is_plain(tree(main_tree_at))
               ? walk(root_of(tree(main_tree_at)), kind::trees)
               : damaged(0);
    for (std::size_t i = 0; done && i < trees_.size(); ++i)
      done = walk(trees_[i], kind::values);
    return done;
  }

private:
  enum class kind { free_pages, trees, values };

  /// False when this is no file of LMDB's.
  result<bool> read_roots() {
    const auto bytes = data_.size();
    if (!bytes)
      return tl::unexpected{bytes.error()};
    root_.resize(root_bytes);
    if (auto got = read(0, root_); !got || !*got)
      return got;
    page_bytes_ = load<std::uint32_t>(root_, free_tree_at);
    if (!is_root(root_) || page_bytes_ < root_bytes || page_bytes_ > 65536)
      return false;
    std::vector<std::byte> other(root_bytes);
    if (auto got = read(page_bytes_, other); !got || !*got)
      return got;
    if (!is_root(other))
      return false;
    if (load<std::uint32_t>(other, free_tree_at) != page_bytes_)
      return damaged(0);
    if (load<std::uint64_t>(other, transaction_at)
        > load<std::uint64_t>(root_, transaction_at))
      root_.swap(other);
    pages_there_ = *bytes / page_bytes_;
    end_ = load<page_number>(root_, last_page_at) + 1;
    if (end_ < first_page || !is_plain(tree(free_tree_at)))
      return damaged(0);
    return true;
  }

  static bool is_root(bytes_view page) {
    return load<std::uint32_t>(page, page_head) == magic
           && load<std::uint32_t>(page, version_at) == version;
  }

  /// Whether each key has one value, as everywhere in a catalog.
  static bool is_plain(bytes_view tree) {
    constexpr std::uint16_t kinds = 0x7e; // Of keys and of many values to one.
    constexpr std::uint16_t integer_key = 8;
    const auto flags = load<std::uint16_t>(tree, tree_flags_at) & kinds;
    return flags == 0 || flags == integer_key;
  }

  [[nodiscard]] bytes_view tree(std::size_t at) const {
    return bytes_view{root_}.subspan(at, tree_bytes);
  }

  /// False at the file's end.
  result<bool> read(std::uint64_t offset, std::span<std::byte> into) {
    return data_.read(offset, into).map([&](std::size_t got) {
      return got == into.size();
    });
  }

  /// Pages that follow each other, each used for the first time.
  bool take(page_number first, std::uint64_t count = 1) {
    if (first < first_page || first >= end_ || count > end_ - first)
      return false;
    for (auto page = first; page < first + count; ++page) {
      if (used_[page])
        return false;
      used_[page] = true;
    }
    return true;
  }

  result<void> walk(page_number root, kind what) {
    std::vector<page_number> waiting;
    if (root != no_root)
      waiting.push_back(root);
    std::vector<std::byte> page(page_bytes_);
    while (!waiting.empty()) {
      const auto number = waiting.back();
      waiting.pop_back();
      if (!take(number))
        return damaged(number);
      if (auto got = read(number * page_bytes_, page); !got)
        return tl::unexpected{got.error()};
      else if (!*got)
        return ends_early();
      if (auto looked = look(number, page, what, waiting); !looked)
        return looked;
    }
    return {};
  }

  result<void> look(page_number number, bytes_view page, kind what,
                    std::vector<page_number>& waiting) {
    const auto flags = load<std::uint16_t>(page, flags_at);
    const auto lower = load<std::uint16_t>(page, lower_at);
    const auto upper = load<std::uint16_t>(page, upper_at);
    if (load<page_number>(page, 0) != number
        || (flags != branch && flags != leaf) || lower < page_head
        || lower % 2 != 0 || upper < lower || upper > page_bytes_)
      return damaged(number);
    std::uint64_t before = 0;
    nodes_.clear();
    for (std::size_t at = page_head; at < lower; at += 2) {
      const std::size_t node = load<std::uint16_t>(page, at);
      if (node < upper || node + node_head > page_bytes_)
        return damaged(number);
      const auto value = node + node_head
                         + load<std::uint16_t>(page, node + key_bytes_at);
      if (value > page_bytes_)
        return damaged(number);
      if (flags == leaf && what == kind::free_pages
          && !follows(before, page.subspan(node + node_head,
                                           value - node - node_head)))
        return damaged(number);
      const auto bytes = value - node + (flags == leaf ? in_page(page, node) : 0);
      nodes_.emplace_back(node, bytes + bytes % 2);
      if (flags == branch)
        waiting.push_back(load<page_number>(page, node) & 0xffff'ffff'ffff);
      else if (auto looked = look_at_value(number, page, node, value, what);
               !looked)
        return looked;
    }
    return what == kind::free_pages || is_filled(upper) ? result<void>{}
                                                        : damaged(number);
  }

  /// Whether the page's nodes lie one behind the other up to its end.
  bool is_filled(std::size_t from) {
    std::sort(nodes_.begin(), nodes_.end());
    for (const auto& [node, bytes] : nodes_) {
      if (node != from)
        return false;
      from += bytes;
    }
    return from == page_bytes_;
  }

  /// Bytes of a node's value that are in its page.
  static std::size_t in_page(bytes_view page, std::size_t node) {
    const auto flags = load<std::uint16_t>(page, node + node_flags_at);
    return (flags & has_pages) != 0 ? sizeof(page_number)
                                    : load<std::uint32_t>(page, node);
  }

  /// The key of free pages is the transaction that freed them.
  [[nodiscard]] bool follows(std::uint64_t& before, bytes_view key) const {
    if (key.size() != sizeof before)
      return false;
    const auto last = std::exchange(before, load<std::uint64_t>(key, 0));
    return before > last && before <= load<std::uint64_t>(root_, transaction_at);
  }

  result<void> look_at_value(page_number number, bytes_view page,
                             std::size_t node, std::size_t at, kind what) {
    const std::size_t bytes = load<std::uint32_t>(page, node);
    const auto flags = load<std::uint16_t>(page, node + node_flags_at);
    if ((flags & has_pages) != 0) {
      if (page_bytes_ - at < sizeof(page_number))
        return damaged(number);
      return look_at_pages(load<page_number>(page, at), bytes, what);
    }
    if (bytes > page_bytes_ - at)
      return damaged(number);
    const auto value = page.subspan(at, bytes);
    if (what == kind::free_pages)
      return take_free(value) ? result<void>{} : damaged(number);
    if ((flags & is_tree) == 0)
      return {};
    if (what != kind::trees || bytes != tree_bytes || !is_plain(value))
      return damaged(number);
    trees_.push_back(root_of(value));
    return {};
  }

  /// A value that has pages for itself: as many as it needs, or more, as an update
  /// that makes it shorter leaves them.
  result<void> look_at_pages(page_number first, std::size_t bytes, kind what) {
    if (first >= end_)
      return damaged(first);
    std::vector<std::byte> head(page_head);
    if (auto got = read(first * page_bytes_, head); !got)
      return tl::unexpected{got.error()};
    else if (!*got)
      return ends_early();
    const auto pages = value_pages::of(head);
    if (!pages || pages->first != first || !pages->hold(bytes, page_bytes_)
        || !take(first, pages->count))
      return damaged(first);
    if (first + pages->count > pages_there_)
      return ends_early();
    return what == kind::free_pages ? look_at_free(first, bytes)
                                    : result<void>{};
  }

  result<void> look_at_free(page_number first, std::size_t bytes) {
    if (bytes == 0)
      return damaged(first);
    std::vector<std::byte> value(bytes);
    if (auto got = read(first * page_bytes_ + page_head, value); !got)
      return tl::unexpected{got.error()};
    return take_free(value) ? result<void>{} : damaged(first);
  }

  /// A count, and as many pages, largest first.
  bool take_free(bytes_view value) {
    const auto words = value.size() / sizeof(page_number);
    if (words == 0 || load<page_number>(value, 0) > words - 1)
      return false;
    auto before = end_;
    for (std::size_t i = 1; i <= load<page_number>(value, 0); ++i) {
      const auto page = load<page_number>(value, i * sizeof before);
      if (page >= before || !take(page))
        return false;
      before = page;
    }
    return true;
  }

  [[nodiscard]] tl::unexpected<error> damaged(page_number page) const {
    return fail(errc::corrupt,
                fmt::format("catalog '{}': page {} of data.mdb is damaged; "
                            "restore it from a copy",
                            directory_, page));
  }

  [[nodiscard]] tl::unexpected<error> ends_early() const {
    return fail(errc::corrupt,
                fmt::format("catalog '{}': data.mdb ends at page {} of {}; "
                            "restore it from a copy",
                            directory_, pages_there_, end_));
  }

  const file& data_;
  std::string directory_;
  std::vector<std::byte> root_;
  std::size_t page_bytes_ = 0;
  page_number pages_there_ = 0; ///< Whole ones.
  page_number end_ = 0;         ///< Behind the last one that counts.
  std::vector<bool> used_;
  std::vector<page_number> trees_;
  std::vector<std::pair<std::size_t, std::size_t>> nodes_; ///< Of one page.
};

} // namespace

std::optional<value_pages> value_pages::of(bytes_view head) noexcept {
  if (load<std::uint16_t>(head, flags_at) != overflow)
    return std::nullopt;
  return value_pages{load<page_number>(head, 0),
                     load<std::uint32_t>(head, pages_at)};
}

result<void> check_pages(const std::string& directory, lmdb_look how) {
  posix_disk disk;
  const auto data = disk.open(directory + "/data.mdb", open_mode::read);
  if (!data)
    return tl::unexpected{data.error()};
  return check_pages(**data, directory, how);
}

result<void> check_pages(const file& data, const std::string& directory,
                         lmdb_look how) {
  return page_check{data, directory}.run(how);
}

} // namespace torpor
