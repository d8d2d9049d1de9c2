// SPDX-License-Identifier: Apache-2.0
#include "cli/demo_lines.hpp"

#include "runtime/stream_name.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string_view>

#include <zlib.h>

namespace torpor {

namespace {

namespace fs = std::filesystem;

constexpr unsigned file_bytes_max = 128u << 10;
constexpr std::size_t all_bytes_max = 32u << 20;
constexpr std::size_t line_bytes_max = 2048;
/// A replica's name comes before it.
constexpr std::size_t name_bytes_max = limits::name_bytes_max - 32;
/// Less than this is little.
constexpr std::size_t bytes_wanted = 1u << 20;

/// The beginning of a file, unpacked if it is packed; empty if it is no text.
std::string_view read_beginning(const fs::path& path,
                                std::array<char, file_bytes_max>& buffer) {
  const std::unique_ptr<gzFile_s, int (*)(gzFile)> file{
    ::gzopen(path.c_str(), "rb"), ::gzclose};
  if (!file)
    return {};
  const auto got = ::gzread(file.get(), buffer.data(), file_bytes_max);
  const std::string_view text{buffer.data(),
                              static_cast<std::size_t>(std::max(got, 0))};
  return text.find('\0') == std::string_view::npos ? text : std::string_view{};
}

/// Calls with every file below a directory that `wanted` lets pass, sorted, so
/// that every run has the same.
template <class Wanted, class Visit>
void for_each_file(const fs::path& top, Wanted wanted, Visit visit) {
  std::vector<fs::path> found;
  std::error_code failed;
  fs::recursive_directory_iterator each{
    top, fs::directory_options::skip_permission_denied, failed};
  for (; !failed && each != fs::recursive_directory_iterator{};
       each.increment(failed)) {
    std::error_code ignored;
    const auto name = each->path().filename().string();
    if (each->is_directory(ignored)) {
      if (name.starts_with('.') || name == "build")
        each.disable_recursion_pending();
    } else if (each->is_regular_file(ignored) && !each->is_symlink(ignored)
               && wanted(name)) {
      found.push_back(each->path());
    }
  }
  std::sort(found.begin(), found.end());
  for (const auto& path : found)
    visit(path);
}

bool is_changelog(std::string_view name) {
  return name.starts_with("changelog");
}

bool is_any(std::string_view) {
  return true;
}

bool is_source(std::string_view name) {
  constexpr std::string_view endings[] = {".cpp", ".hpp", ".md", ".txt"};
  return std::any_of(std::begin(endings), std::end(endings),
                     [name](auto ending) { return name.ends_with(ending); });
}

} // namespace

result<line_stock> line_stock::gather(const std::string& source) {
  auto stock = with_room(all_bytes_max);
  if (!stock)
    return stock;
  const auto buffer = std::make_unique<std::array<char, file_bytes_max>>();
  const auto add_from = [&](const fs::path& top, std::string_view prefix,
                            auto wanted) {
    for_each_file(top, wanted, [&](const fs::path& path) {
      auto name = std::string{prefix} + path.lexically_relative(top).string();
      if (name.size() <= name_bytes_max && check_name(name)
          && stock->bytes() + line_bytes_max < all_bytes_max)
        stock->add(std::move(name), read_beginning(path, *buffer));
    });
  };
  add_from("/var/log", "log/", is_any);
  add_from("/usr/share/doc", "", is_changelog);
  if (stock->bytes() < bytes_wanted && !source.empty())
    add_from(source, "source/", is_source);
  if (stock->lines() == 0)
    return fail(errc::not_found,
                fmt::format("no text in /usr/share/doc, /var/log or '{}'; name "
                            "a directory with text files by --source",
                            source));
  return stock;
}

result<line_stock> line_stock::with_room(std::size_t bytes) {
  // A line has at least one byte.
  auto ends = shared_memory::make((bytes + 1) * sizeof(std::uint32_t));
  if (!ends)
    return tl::unexpected{ends.error()};
  return shared_memory::make(bytes).map([&](shared_memory text) {
    return line_stock{std::move(text), std::move(*ends), bytes};
  });
}

void line_stock::add(std::string name, std::string_view text) {
  const auto first = lines_;
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const auto kept = line.substr(0, line_bytes_max);
    if (kept.find_first_not_of(" \t\r") == std::string_view::npos)
      continue;
    if (bytes() + kept.size() > room_)
      break;
    std::memcpy(text_.data() + bytes(), kept.data(), kept.size());
    ends()[lines_ + 1] = static_cast<std::uint32_t>(bytes() + kept.size());
    ++lines_;
  }
  if (lines_ > first)
    files_.push_back({std::move(name), first, lines_ - first});
}

} // namespace torpor
