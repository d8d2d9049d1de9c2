// SPDX-License-Identifier: Apache-2.0
#include "tests/system/request_log.hpp"

#include "tests/engine/request_batch.hpp"

#include <fmt/format.h>

#include <fstream>
#include <sstream>
#include <stdexcept>

#include <fcntl.h>
#include <unistd.h>

namespace torpor::test {

namespace {

/// What payload_of was given.
constexpr const char* no_order = "-";

std::size_t padding_of(const std::string& payload) {
  return payload.size() - payload.rfind('/') - 1;
}

history::write_request read_request(std::istream& line, std::uint64_t tag) {
  history::write_request request;
  int kind = 0;
  int how = 0;
  std::uint64_t before = 0;
  std::size_t entries = 0;
  int has_producer = 0;
  line >> kind >> request.stream >> how >> before >> entries;
  request.kind = static_cast<write_kind>(kind);
  request.ack = static_cast<ack>(how);
  request.before = sequence{before};
  for (std::size_t i = 0; i < entries; ++i) {
    std::size_t padding = 0;
    line >> padding;
    request.payloads.push_back(payload_of(tag, i, padding));
  }
  line >> has_producer;
  if (has_producer != 0) {
    producer by;
    line >> by.id >> by.epoch >> by.number;
    request.by = by;
  }
  line >> request.order >> request.closes;
  if (request.order == no_order)
    request.order.clear();
  return request;
}

write_outcome read_outcome(std::istream& line) {
  write_outcome outcome;
  int code = 0;
  std::uint64_t stream = 0;
  std::uint64_t first = 0;
  line >> code >> stream >> first;
  outcome.code = static_cast<errc>(code);
  outcome.stream = stream_id{stream};
  outcome.first = sequence{first};
  return outcome;
}

} // namespace

request_log::request_log(const std::string& path)
  : descriptor_(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644)) {
  if (descriptor_ < 0)
    throw std::runtime_error{"cannot write " + path};
}

request_log::~request_log() {
  ::close(descriptor_);
}

/// One call, so that a killed process leaves whole lines.
void request_log::write(const std::string& line) {
  const std::lock_guard guard{mutex_};
  if (::write(descriptor_, line.data(), line.size())
      != static_cast<ssize_t>(line.size()))
    throw std::runtime_error{"cannot write the log of requests"};
}

void request_log::opened() {
  write("opened 0\n");
}

void request_log::sent(std::uint64_t tag,
                       const history::write_request& request) {
  auto line = fmt::format("sent {} {} {} {} {} {}", tag,
                          static_cast<int>(request.kind), request.stream,
                          static_cast<int>(request.ack), raw(request.before),
                          request.payloads.size());
  for (const auto& payload : request.payloads)
    line += fmt::format(" {}", padding_of(payload));
  line += request.by ? fmt::format(" 1 {} {} {}\n", request.by->id,
                                   request.by->epoch, request.by->number)
                     : " 0";
  line += fmt::format(" {} {}\n",
                      request.order.empty() ? no_order : request.order,
                      static_cast<int>(request.closes));
  write(line);
}

void request_log::again(std::uint64_t tag) {
  write(fmt::format("again {}\n", tag));
}

void request_log::answered(std::uint64_t tag, const write_outcome& outcome) {
  write(fmt::format("answered {} {} {} {}\n", tag,
                    static_cast<int>(outcome.code), raw(outcome.stream),
                    raw(outcome.first)));
}

void request_log::synced(const std::vector<std::uint64_t>& tags) {
  auto line = fmt::format("synced {}", tags.size());
  for (const auto tag : tags)
    line += fmt::format(" {}", tag);
  write(line + '\n');
}

history request_log::read(const std::string& path) {
  history known;
  std::ifstream file{path};
  for (std::string text; std::getline(file, text);) {
    std::istringstream line{text};
    std::string what;
    std::uint64_t number = 0; // A tag, or how many there are.
    line >> what >> number;
    if (what == "sent") {
      if (known.sent(read_request(line, number)) != number)
        throw std::runtime_error{path + ": requests are missing"};
    } else if (what == "again") {
      known.again(number);
    } else if (what == "answered") {
      known.answered(number, read_outcome(line));
    } else if (what == "synced") {
      std::vector<std::uint64_t> tags(number);
      for (auto& tag : tags)
        line >> tag;
      known.synced(tags);
    } else if (what == "opened") {
      known.crashed();
    }
  }
  known.crashed();
  return known;
}

} // namespace torpor::test
