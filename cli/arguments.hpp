// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/entry_format.hpp"

#include <CLI/App.hpp>
#include <CLI/Option.hpp>
#include <CLI/Validators.hpp>

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace torpor {

/// Adds the argument NAME: a stream's name, checked before anything is opened.
CLI::Option* add_stream_name(CLI::App& app, std::string& into);

/// A check for options that take a whole number of at least `least`. The parser
/// by itself takes -1 and 2^64 for unsigned ones.
[[nodiscard]] CLI::Validator whole_number(std::uint64_t least = 0);

/// The beginning of a stream's name, or nothing.
[[nodiscard]] CLI::Validator name_start();

/// A check for a number from `least` to `most`, both as people write them.
[[nodiscard]] CLI::Validator within(double least, double most);

/// "10,000,000" and "0.5".
[[nodiscard]] std::string written(double number);

/// Adds an option for a number; its help shows range and default.
template <class T>
CLI::Option* add_number(CLI::App& app, const std::string& option, T& into,
                        const std::string& text, double least, double most) {
  return app
    .add_option(
      option, into,
      fmt::format("{}, {} to {}", text, written(least), written(most)))
    ->type_name("N")
    ->check(within(least, most))
    ->capture_default_str();
}

/// Refuses a word: "--ack is 'wrong', expected buffered or durable".
[[noreturn]] void refuse_choice(const std::string& option,
                                const std::string& given,
                                const std::vector<std::string>& words);

/// "buffered|durable".
[[nodiscard]] std::string choice_text(const std::vector<std::string>& words);

/// Adds an option that takes one of a few words. `option` ends with its long
/// name.
template <class T>
CLI::Option* add_choice(CLI::App& app, const std::string& option, T& into,
                        const std::vector<std::pair<std::string, T>>& choices,
                        const std::string& text) {
  std::vector<std::string> words;
  for (const auto& [word, value] : choices)
    words.push_back(word);
  const auto take =
    [&into, choices, words,
     name = option.substr(option.find("--"))](const std::string& given) {
      for (const auto& [word, value] : choices)
        if (word == given) {
          into = value;
          return;
        }
      refuse_choice(name, given, words);
    };
  return app.add_option_function<std::string>(option, take, text)
    ->option_text(choice_text(words));
}

/// Adds --output.
CLI::Option* add_output_format(CLI::App& app, entry_format& into);

} // namespace torpor
