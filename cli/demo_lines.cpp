// SPDX-License-Identifier: Apache-2.0
#include "cli/demo_lines.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string_view>

#include <zlib.h>

namespace torpor {

namespace {

namespace fs = std::filesystem;

using named_texts = std::vector<std::pair<std::string, std::string>>;

constexpr std::size_t file_bytes_max = 128u << 10;
constexpr std::size_t all_bytes_max = 32u << 20;
constexpr std::size_t line_bytes_max = 2048;
/// Less than this is little.
constexpr std::size_t bytes_wanted = 1u << 20;

/// The beginning of a file, unpacked if it is packed.
std::string read_beginning(const fs::path& path) {
  const std::unique_ptr<gzFile_s, int (*)(gzFile)> file{
    ::gzopen(path.c_str(), "rb"), ::gzclose};
  if (!file)
    return {};
  std::string text(file_bytes_max, '\0');
  const auto got = ::gzread(file.get(), text.data(),
                            static_cast<unsigned>(text.size()));
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return text;
}

bool is_text(std::string_view bytes) {
  return !bytes.empty() && bytes.find('\0') == std::string_view::npos;
}

/// Collects texts until there is enough. Threads: one owner.
class text_collector {
public:
  void add(const fs::path& path, std::string name) {
    if (full())
      return;
    auto text = read_beginning(path);
    if (!is_text(text))
      return;
    bytes_ += text.size();
    texts.emplace_back(std::move(name), std::move(text));
  }

  [[nodiscard]] bool full() const { return bytes_ >= all_bytes_max; }
  [[nodiscard]] bool few() const { return bytes_ < bytes_wanted; }

  named_texts texts;

private:
  std::size_t bytes_ = 0;
};

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
  text_collector found;
  const fs::path changelogs = "/usr/share/doc";
  const fs::path logs = "/var/log";
  for_each_file(logs, is_any, [&](const fs::path& path) {
    found.add(path, "log/" + path.lexically_relative(logs).string());
  });
  for_each_file(changelogs, is_changelog, [&](const fs::path& path) {
    found.add(path, path.lexically_relative(changelogs).string());
  });
  if (found.few() && !source.empty())
    for_each_file(source, is_source, [&](const fs::path& path) {
      found.add(path, "source/" + path.lexically_relative(source).string());
    });
  if (found.texts.empty())
    return fail(errc::not_found,
                fmt::format("no text in /usr/share/doc, /var/log or '{}'; name "
                            "a directory with text files by --source",
                            source));
  return make(found.texts);
}

result<line_stock> line_stock::make(const named_texts& texts) {
  std::size_t bytes = 1;
  for (const auto& [name, text] : texts)
    bytes += text.size();
  auto memory = shared_memory::make(bytes);
  if (!memory)
    return tl::unexpected{memory.error()};
  line_stock stock{std::move(*memory)};
  for (const auto& [name, text] : texts) {
    const auto first = stock.lines();
    for (std::string_view rest = text; !rest.empty();) {
      const auto line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(std::min(line.size() + 1, rest.size()));
      const auto kept = line.substr(0, line_bytes_max);
      if (kept.find_first_not_of(" \t\r") == std::string_view::npos)
        continue;
      std::memcpy(stock.text_.data() + stock.bytes(), kept.data(),
                  kept.size());
      stock.starts_.push_back(stock.bytes() + kept.size());
    }
    if (stock.lines() > first)
      stock.files_.push_back({name, first, stock.lines() - first});
  }
  if (stock.files_.empty())
    return fail(errc::not_found, "the texts have no line");
  return stock;
}

} // namespace torpor
