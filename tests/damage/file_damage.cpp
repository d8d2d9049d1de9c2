// SPDX-License-Identifier: Apache-2.0
// Whole files are missing, empty, swapped, older, another store's or too many.
#include "tests/damage/attempt.hpp"
#include "tests/damage/kinds.hpp"
#include "tests/damage/old_store.hpp"
#include "tests/damage/real_store.hpp"
#include "tests/damage/tally.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>
#include <stdexcept>
#include <vector>

namespace torpor::test {

namespace {

/// Files of a store after something was done to them.
struct mishap {
  std::string what;
  store_image files;
  std::vector<std::string> without; ///< Directories that are removed, too.
};

std::string folder_of(const std::string& path) {
  return path.substr(0, path.rfind('/') + 1);
}

/// All that is done to the files of a store.
class mishaps {
public:
  explicit mishaps(const store_image& sound) : sound_(sound) {}

  void one_file(const std::string& path) {
    auto files = sound_;
    files.erase(path);
    add(fmt::format("'{}' is missing", path), files);
    files[path] = {};
    add(fmt::format("'{}' is empty", path), files);
    for (const auto& [other, bytes] : sound_)
      if (other > path && folder_of(other) == folder_of(path)) {
        files[path] = bytes;
        files[other] = sound_.at(path);
        add(fmt::format("'{}' and '{}' are swapped", path, other), files);
        copy(path, other);
        copy(other, path);
      }
  }

  /// What that other store has of the same names.
  void from(const std::string& whose, const store_image& other) {
    for (const auto& [path, bytes] : sound_) {
      const auto found = other.find(path);
      if (found == other.end() || found->second == bytes
          || blank(found->second))
        continue;
      auto files = sound_;
      files[path] = found->second;
      add(fmt::format("'{}' is {}", path, whose), files);
    }
  }

  void more(const std::string& path, const std::string& bytes) {
    auto files = sound_;
    files[path] = bytes;
    add(fmt::format("'{}' is there, too", path), files);
  }

  /// Every part of the store, alone and with others, but not all together:
  /// what is left then is nobody's store.
  void parts() {
    const std::vector<std::string> names{"catalog", "journal", "segments",
                                         "torpor.store"};
    for (unsigned chosen = 1; chosen + 1 < 1u << names.size(); ++chosen) {
      std::vector<std::string> gone;
      for (std::size_t i = 0; i < names.size(); ++i)
        if ((chosen >> i & 1) != 0)
          gone.push_back(names[i]);
      without(gone);
    }
  }

  std::vector<mishap> all;

private:
  /// A journal file of zeros cannot be told from one that never had a frame.
  [[nodiscard]] static bool blank(const std::string& bytes) {
    return bytes.find_first_not_of('\0') == std::string::npos;
  }

  void without(const std::vector<std::string>& parts) {
    auto files = sound_;
    for (const auto& part : parts)
      std::erase_if(files, [&](const auto& each) {
        return each.first == part || each.first.starts_with(part + "/");
      });
    add(fmt::format("'{}' empty", fmt::join(parts, "', '")), files);
    add(fmt::format("'{}' missing", fmt::join(parts, "', '")), files);
    all.back().without = parts;
  }

  void copy(const std::string& from, const std::string& to) {
    const auto& bytes = sound_.at(from);
    if (blank(bytes))
      return;
    auto files = sound_;
    files[to] = bytes;
    add(fmt::format("'{}' is a copy of '{}'", to, from), files);
  }

  void add(std::string what, store_image files) {
    all.push_back({std::move(what), std::move(files), {}});
  }

  const store_image& sound_;
};

std::vector<mishap> all_of(const lived_store& lived, const store_image& sound,
                           const store_image& foreign,
                           const std::string& directory) {
  mishaps done{sound};
  for (const auto& [path, bytes] : sound)
    done.one_file(path);
  done.from("another store's", foreign);
  for (std::size_t i = 0; i + 1 < lived.moments.size(); ++i) {
    const auto& when = lived.moments[i];
    done.from(fmt::format("as of '{}' ({})", when.what, i),
              real_image(lived, when, when.updates, directory));
    // What was there then and is gone now.
    for (const auto& [path, bytes] : when.files)
      if (!sound.contains(path))
        done.more(path, bytes);
  }
  for (const auto* name : {"notes.txt", "journal/notes.txt",
                           "journal/0000000001.journal.bak",
                           "journal/0000000077.journal.tmp",
                           "segments/notes.txt", "catalog/notes.txt"})
    done.more(name, "not yours");
  done.more("journal/0000009999.journal", "not yours");
  done.more("segments/0000009999.segment", "not yours");
  done.parts();
  return std::move(done.all);
}

/// Errors say of which file or stream, and what to do.
bool helps(const std::string& text) {
  for (const auto* advice : {"copy", "repair", "verify", "move ", "choose "})
    if (text.find(advice) != std::string::npos)
      return true;
  return false;
}

std::string judge(const mishap& done, const real_end& end) {
  if (end.how == real_end::wrong || end.how == real_end::died)
    return fmt::format("{}: {}", done.what, end.text);
  if (end.how == real_end::refused
      && (!helps(end.text) || end.text.find('\'') == std::string::npos))
    return fmt::format("{}: no help: {}", done.what, end.text);
  if (end.how != real_end::whole && !end.changed.empty())
    return fmt::format("{}: {} ({})", done.what, end.changed, end.text);
  return {};
}

} // namespace

bool damage_files(const effort& how) {
  const scratch place;
  const auto directory = place.path() + "/store";
  for (const auto closed : {false, true}) {
    const auto lived = live_long(5, closed);
    const auto truth = must_read(lived.config, lived.records_at(lived.end()),
                                 lived.end().files);
    if (auto wrong = compare(lived, truth); !wrong.empty())
      throw std::runtime_error{wrong};
    const auto foreign = live_long(6, closed);
    const auto sound = real_image(lived, lived.end(), lived.end().updates,
                                  directory);
    const auto all = all_of(lived, sound,
                            real_image(foreign, foreign.end(),
                                       foreign.end().updates, directory),
                            directory);
    tally ends;
    const auto name = fmt::format("files, {}", lived.end().what);
    auto alone = how;
    alone.jobs = 1; // It forks.
    const case_series tries{name, all.size(), [&](auto at) {
      const auto& done = all[at];
      const auto end = try_real(
        lived.config, done.files, truth, directory,
        [&](const std::string& made) {
          for (const auto& part : done.without)
            std::filesystem::remove_all(made + "/" + part);
        });
      ends.add(end.how);
      if (how.only != 0)
        fmt::print("{}: {} {} {}\n", done.what, static_cast<char>(end.how),
                   end.text, end.changed);
      return judge(done, end);
    }, {}};
    if (!run(tries, alone))
      return false;
    ends.print(name);
  }
  return true;
}

} // namespace torpor::test
