// SPDX-License-Identifier: Apache-2.0
#include "tests/damage/store_image.hpp"

#include <fmt/format.h>

#include <array>
#include <stdexcept>

namespace torpor::test {

namespace {

constexpr std::array folders{"", "catalog/", "journal/", "segments/"};

template <class T>
T must(result<T> done) {
  if (!done)
    throw std::runtime_error{to_string(done.error())};
  if constexpr (!std::is_void_v<T>)
    return std::move(*done);
}

std::string read_file(disk& from, const std::string& path) {
  const auto source = must(from.open(path, open_mode::read));
  std::string bytes(must(source->size()), '\0');
  const auto got = must(source->read(
    0, std::as_writable_bytes(std::span{bytes.data(), bytes.size()})));
  bytes.resize(got);
  return bytes;
}

bool is_lock(const std::string& path) {
  return path == "torpor.lock" || path == "catalog/lock.mdb";
}

} // namespace

store_image take_image(disk& from, const std::string& data_dir) {
  store_image files;
  for (const std::string folder : folders) {
    const auto names = from.list(data_dir + "/" + folder);
    if (!names)
      continue; // It may not have been made yet.
    for (const auto& name : *names)
      if (!is_lock(folder + name))
        files[folder + name] = read_file(from, data_dir + "/" + folder + name);
  }
  return files;
}

void put_image(const store_image& files, disk& into,
               const std::string& data_dir) {
  for (const std::string folder : folders)
    must(into.make_directory(data_dir + "/" + folder));
  for (const auto& [path, bytes] : files) {
    const auto made = must(into.open(data_dir + "/" + path, open_mode::create));
    must(made->write(0, as_bytes(bytes)));
    must(made->sync());
  }
  for (const std::string folder : folders)
    must(into.sync_directory(data_dir + "/" + folder));
}

std::string differences(const store_image& before, const store_image& after) {
  std::string text;
  for (const auto& [path, bytes] : before) {
    const auto found = after.find(path);
    if (found == after.end())
      text += fmt::format("'{}' is gone; ", path);
    else if (found->second != bytes)
      text += fmt::format("'{}' was changed; ", path);
  }
  for (const auto& [path, bytes] : after)
    if (!before.contains(path))
      text += fmt::format("'{}' was made; ", path);
  return text;
}

} // namespace torpor::test
