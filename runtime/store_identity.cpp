// SPDX-License-Identifier: Apache-2.0
#include "runtime/store_identity.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <random>

namespace torpor {

namespace {

constexpr std::string_view first_line = "torpor store\nformat ";
constexpr std::uint32_t format_version = 1;

std::string format_identity(const store_id& id) {
  std::string text = fmt::format("{}{}\nid ", first_line, format_version);
  for (const auto byte : id)
    text += fmt::format("{:02x}", std::to_integer<unsigned>(byte));
  return text + "\n";
}

result<store_id> parse_identity(std::string_view text,
                                const std::string& path) {
  const auto broken = [&path] {
    return fail(errc::corrupt,
                fmt::format("'{}' is not the identity of a Torpor store; "
                            "restore it from a copy",
                            path));
  };
  if (!text.starts_with(first_line))
    return broken();
  text.remove_prefix(first_line.size());
  std::uint32_t version = 0;
  const auto number = std::from_chars(text.begin(), text.end(), version);
  if (number.ec != std::errc{})
    return broken();
  if (version != format_version)
    return fail(errc::incompatible,
                fmt::format("'{}' has format {}, this program knows format {}; "
                            "use a newer Torpor",
                            path, version, format_version));
  text.remove_prefix(static_cast<std::size_t>(number.ptr - text.begin()));
  constexpr std::string_view id_line = "\nid ";
  store_id id{};
  if (!text.starts_with(id_line)
      || text.size() < id_line.size() + 2 * id.size())
    return broken();
  const auto* digits = text.data() + id_line.size();
  for (auto& byte : id) {
    unsigned value = 0;
    if (std::from_chars(digits, digits + 2, value, 16).ptr != digits + 2)
      return broken();
    byte = static_cast<std::byte>(value);
    digits += 2;
  }
  return id;
}

} // namespace

result<store_id> read_identity(disk& disk, const std::string& path) {
  auto opened = disk.open(path, open_mode::read);
  if (!opened)
    return tl::unexpected{opened.error()};
  std::array<std::byte, 256> bytes;
  auto got = (*opened)->read(0, bytes);
  if (!got)
    return tl::unexpected{got.error()};
  return parse_identity(as_text(bytes_view{bytes}.first(*got)), path);
}

result<store_id> make_identity(disk& disk, const std::string& directory,
                               const std::string& path) {
  store_id id{};
  std::random_device random;
  std::generate(id.begin(), id.end(),
                [&random] { return static_cast<std::byte>(random()); });
  return renew_identity(disk, directory, path, id).map([&] { return id; });
}

result<void> renew_identity(disk& disk, const std::string& directory,
                            const std::string& path, const store_id& id) {
  const auto text = format_identity(id);
  const auto temporary = path + ".tmp";
  // One left over from a crash is written anew.
  static_cast<void>(disk.unlink(temporary));
  auto made = disk.open(temporary, open_mode::create);
  if (!made)
    return tl::unexpected{made.error()};
  return (*made)
    ->write(0, as_bytes(text))
    .and_then([&] { return (*made)->sync(); })
    .and_then([&] { return disk.rename(temporary, path); })
    .and_then([&] { return disk.sync_directory(directory); });
}

} // namespace torpor
