// SPDX-License-Identifier: Apache-2.0
#include "cli/import_sources.hpp"

#include "runtime/stream_name.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <map>
#include <string_view>

#include <unistd.h>

namespace torpor {

namespace {

std::string name_after(const std::filesystem::path& path) {
  const auto plain = path.lexically_normal();
  const auto climbs = std::find(plain.begin(), plain.end(), "..")
                      != plain.end();
  auto name = plain.is_absolute() || climbs ? plain.filename().string()
                                            : plain.string();
  constexpr std::string_view packed = ".gz";
  if (name.size() > packed.size() && name.ends_with(packed))
    name.resize(name.size() - packed.size());
  return name;
}

/// Opens nothing: whoever writes into a pipe would take that for its end.
result<void> check_readable(const std::string& path) {
  std::error_code unknown;
  if (path == "-")
    return {};
  if (std::filesystem::is_directory(path, unknown))
    return fail_io("open", path, EISDIR);
  if (::access(path.c_str(), R_OK) != 0)
    return fail_io("open", path, errno);
  return {};
}

result<import_source> plan_one(const std::string& path,
                               const import_naming& naming) {
  import_source source;
  source.path = path;
  if (path == "-" && !naming.name)
    return fail(errc::invalid_argument,
                "standard input has no name; give its stream one with --name");
  if (naming.name)
    if (auto valid = check_name(*naming.name); !valid)
      return tl::unexpected{valid.error()};
  source.stream = naming.prefix + naming.name.value_or(name_after(path));
  if (auto valid = check_name(source.stream); !valid)
    return tl::unexpected{valid.error()};
  // Before anything is imported: better nothing than half of the files.
  if (auto readable = check_readable(path); !readable)
    return tl::unexpected{readable.error()};
  std::error_code unknown;
  if (path != "-" && std::filesystem::is_regular_file(path, unknown))
    source.bytes = std::filesystem::file_size(path, unknown);
  return source;
}

} // namespace

result<std::vector<import_source>>
plan_import(const std::vector<std::string>& paths,
            const import_naming& naming) {
  if (naming.name && paths.size() > 1)
    return fail(errc::invalid_argument,
                "--name is for a single file; name several with --prefix");
  std::vector<import_source> sources;
  std::map<std::string, std::string> taken;
  for (const auto& path : paths) {
    auto source = plan_one(path, naming);
    if (!source)
      return tl::unexpected{source.error()};
    const auto [other, fresh] = taken.emplace(source->stream, path);
    if (!fresh)
      return fail(errc::invalid_argument,
                  fmt::format("'{}' and '{}' would both go to stream '{}'; "
                              "import one of them with --name",
                              other->second, path, printable(source->stream)));
    sources.push_back(std::move(*source));
  }
  return sources;
}

} // namespace torpor
