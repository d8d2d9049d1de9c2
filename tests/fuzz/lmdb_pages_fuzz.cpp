// SPDX-License-Identifier: Apache-2.0
// The pages of a catalog. Input: a byte, then, if it is even, the file as it is;
// else changes to a sound one: u8 pages that are cut off, then each a page of one
// byte, an offset in it of two, and a byte.
#include "runtime/assert.hpp"
#include "runtime/lmdb_databases.hpp"
#include "runtime/lmdb_pages.hpp"
#include "tests/fuzz/fuzz_input.hpp"
#include "tests/support/scratch_directory.hpp"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>

using namespace torpor;
using namespace torpor::test;

namespace {

/// A file that is only read.
class bytes_file final : public file {
public:
  explicit bytes_file(bytes_view bytes) : bytes_{bytes} {}

  result<void> write(std::uint64_t, bytes_view) override { return {}; }
  result<void> sync() override { return {}; }
  result<std::size_t> read(std::uint64_t offset,
                           std::span<std::byte> into) const override {
    if (offset >= bytes_.size())
      return 0;
    const auto count = std::min(into.size(), bytes_.size() - offset);
    std::memcpy(into.data(), bytes_.data() + offset, count);
    return count;
  }
  result<std::uint64_t> size() const override { return bytes_.size(); }
  result<void> truncate(std::uint64_t) override { return {}; }
  const std::string& path() const noexcept override { return path_; }

private:
  bytes_view bytes_;
  std::string path_;
};

void update(const lmdb_databases& databases, std::size_t bytes, int from) {
  lmdb_transaction transaction{databases.environment};
  TORPOR_ASSERT(transaction.begin_write());
  for (int i = from; i < from + 60; ++i) {
    const std::string value(i % 20 == 0 ? 20 * bytes : bytes, 'v');
    TORPOR_ASSERT(transaction.put(databases.names,
                                  as_bytes(std::to_string(i)),
                                  as_bytes(value)));
  }
  TORPOR_ASSERT(transaction.commit());
}

/// With branches, leaves, free pages and values that have pages of their own.
std::string make_sound() {
  const scratch_directory scratch;
  TORPOR_ASSERT(lmdb_databases::create(scratch.path()));
  {
    const auto databases = lmdb_databases::open(scratch.path(),
                                                lmdb_access::write);
    TORPOR_ASSERT(databases);
    for (const int from : {0, 30, 10})
      update(*databases, 300, from);
  }
  std::ifstream in{scratch.path() + "/data.mdb", std::ios::binary};
  return {std::istreambuf_iterator{in}, {}};
}

std::string changed(std::string file, fuzz_input& input) {
  constexpr std::size_t page_bytes = 4096;
  file.resize(file.size()
              - std::min(input.u8() * page_bytes, file.size()));
  while (!input.empty()) {
    const auto page = input.u8();
    const auto offset = page * page_bytes + input.u16() % page_bytes;
    const auto change = static_cast<char>(input.u8());
    if (offset < file.size())
      file[offset] = static_cast<char>(file[offset] ^ change);
  }
  return file;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  static const auto sound = make_sound();
  fuzz_input input{data, size};
  const auto bytes = input.u8() % 2 == 0 ? std::string{input.rest()}
                                         : changed(sound, input);
  const bytes_file file{as_bytes(bytes)};
  for (const auto how : {lmdb_look::end, lmdb_look::free_pages,
                         lmdb_look::all}) {
    const auto checked = check_pages(file, "catalog", how);
    TORPOR_ASSERT(checked || checked.error().code == errc::corrupt);
    TORPOR_ASSERT(checked || bytes != sound);
  }
  return 0;
}
