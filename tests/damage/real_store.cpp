// SPDX-License-Identifier: Apache-2.0
#include "tests/damage/real_store.hpp"

#include "runtime/posix_disk.hpp"
#include "tests/support/fast_directory.hpp"
#include "tests/system/child.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <filesystem>
#include <stdexcept>

namespace torpor::test {

namespace {

/// LMDB allocates room behind its last page, which says nothing.
void trim(std::string& pages) {
  const auto last = pages.find_last_not_of('\0');
  const std::size_t page = 4096;
  pages.resize((last / page + 1) * page);
}

void clear(const std::string& directory) {
  std::filesystem::remove_all(directory);
}

real_end read_real(const options& config, const store_reading& truth) {
  spdlog::set_level(spdlog::level::off);
  auto opened = store::open(config, environment::real(), access::write);
  if (!opened)
    return {real_end::refused, to_string(opened.error()), {}};
  inspected_store reader{std::move(*opened)};
  const auto same = compare(truth, read_all(reader));
  if (!same.wrong.empty())
    return {real_end::wrong, same.wrong, {}};
  if (same.refused.empty())
    return {real_end::whole, {}, {}};
  return {real_end::partly, fmt::format("{} of {} streams are refused",
                                        same.refused.size(),
                                        truth.streams.size()),
          {}};
}

/// Whether an unused rest of zeros was given back to the disk.
bool cut_behind(const std::string& before, const std::string& after) {
  return before.starts_with(after)
         && before.find_first_not_of('\0', after.size()) == std::string::npos;
}

/// What became of the files that were there.
std::string changes(const store_image& before, const std::string& directory) {
  const std::string catalog = "catalog/data.mdb";
  // It is written by every opening, if only its numbers; a damaged one anywhere.
  std::filesystem::remove(directory + "/" + catalog);
  posix_disk disk;
  auto after = take_image(disk, directory);
  for (auto at = after.begin(); at != after.end();)
    at = before.contains(at->first) ? std::next(at) : after.erase(at);
  auto old = before;
  for (auto& [path, bytes] : old)
    if (const auto at = after.find(path);
        at != after.end() && !at->second.empty()
        && cut_behind(bytes, at->second))
      bytes = at->second;
  old.erase(catalog);
  return differences(old, after);
}

} // namespace

scratch::scratch() : path_(make_fast_directory("torpor-damage")) {}

scratch::~scratch() {
  clear(path_);
}

store_image real_image(const lived_store& lived,
                       const lived_store::moment& when, std::size_t updates,
                       const std::string& directory) {
  clear(directory);
  posix_disk disk;
  put_image(when.files, disk, directory);
  {
    auto made = open_lmdb_catalog(catalog_directory(directory),
                                  catalog_access::create);
    const auto done = made ? lived.records->replay(**made, updates)
                           : result<void>{tl::unexpected{made.error()}};
    if (!done)
      throw std::runtime_error{to_string(done.error())};
  }
  auto files = take_image(disk, directory);
  trim(files.at("catalog/data.mdb"));
  clear(directory);
  return files;
}

real_end try_real(const options& config, const store_image& files,
                  const store_reading& truth, const std::string& directory,
                  const std::function<void(const std::string&)>& prepare) {
  clear(directory);
  posix_disk disk;
  put_image(files, disk, directory);
  if (prepare)
    prepare(directory);
  auto chosen = config;
  chosen.data_dir = directory;
  const auto before = take_image(disk, directory);
  const auto child = in_child([&] {
    const auto end = read_real(chosen, truth);
    return std::string(1, end.how) + end.text;
  });
  real_end end;
  if (child.complaint.starts_with("dies of") || child.complaint.empty()
      || child.complaint.starts_with("hangs"))
    end = {real_end::died, child.complaint, {}};
  else
    end = {static_cast<real_end::kind>(child.complaint[0]),
           child.complaint.substr(1), {}};
  end.changed = changes(before, directory);
  clear(directory);
  return end;
}

} // namespace torpor::test
