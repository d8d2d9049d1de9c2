// SPDX-License-Identifier: Apache-2.0
// Configuration of the daemon. Input: a byte, then a file's text or, where the
// byte is odd, what stands behind "--torpor." on a command line.
#include "runtime/assert.hpp"
#include "server/config.hpp"
#include "server/config_file.hpp"
#include "tests/fuzz/fuzz_input.hpp"
#include "tests/fuzz/scratch_file.hpp"

#include <algorithm>
#include <string>

using namespace torpor;
using namespace torpor::test;

namespace {

/// What a file says stands in it, in the order of its lines.
void parse_text(std::string_view text) {
  const auto parsed = parse_config_text(text);
  if (!parsed) {
    TORPOR_ASSERT(parsed.error().code == errc::invalid_argument);
    TORPOR_ASSERT(!parsed.error().context.empty());
    return;
  }
  const auto lines = static_cast<std::size_t>(
                       std::count(text.begin(), text.end(), '\n'))
                     + 1;
  std::size_t line = 0;
  for (const auto& entry : parsed->entries) {
    TORPOR_ASSERT(entry.line > line && entry.line <= lines);
    line = entry.line;
    TORPOR_ASSERT(!entry.key.empty());
    TORPOR_ASSERT(text.find(entry.key) != text.npos);
  }
}

/// Read again over itself a file says the same.
void apply_text(std::string_view text) {
  parse_text(text);
  const scratch_file file{text};
  daemon_config config;
  const auto applied = apply_file(config, file.path());
  if (!applied) {
    TORPOR_ASSERT(applied.error().code == errc::invalid_argument);
    TORPOR_ASSERT(applied.error().context.starts_with(file.path()));
    return;
  }
  TORPOR_ASSERT(apply_file(config, file.path()));
  // What belongs together, without a look at the machine.
  static_cast<void>(validate(config.store));
  static_cast<void>(check_ranges(config.http));
}

void apply_options(std::string_view options) {
  daemon_config config;
  while (!options.empty()) {
    const auto option = options.substr(0, options.find('\n'));
    options.remove_prefix(std::min(option.size() + 1, options.size()));
    const auto applied = apply_argument(config,
                                        "--torpor." + std::string{option});
    TORPOR_ASSERT(applied
                  || applied.error().code == errc::invalid_argument);
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  fuzz_input input{data, size};
  if (input.u8() % 2 != 0)
    apply_options(input.rest());
  else
    apply_text(input.rest());
  return 0;
}
