// SPDX-License-Identifier: Apache-2.0
#include "tests/damage/attempt.hpp"

#include "tests/support/manual_clock.hpp"
#include "tests/support/simulated_disk.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace torpor::test {

attempt try_to_read(const options& config,
                    const std::shared_ptr<catalog>& records,
                    const store_image& files, access how) {
  environment world;
  const auto medium = std::make_shared<simulated_disk>(1);
  world.disk = medium;
  world.clock = std::make_shared<manual_clock>();
  world.lock = false;
  world.open_catalog = [&](const std::string&, catalog_access) {
    return result<std::unique_ptr<catalog>>{unchanging(records)};
  };
  put_image(files, *medium, config.data_dir);
  attempt done;
  auto opened = store::open(config, std::move(world), how);
  if (!opened) {
    done.refused = opened.error();
    done.changed = differences(files, take_image(*medium, config.data_dir));
    return done;
  }
  inspected_store reader{std::move(*opened)};
  done.found = read_all(reader);
  return done;
}

store_reading must_read(const options& config,
                        const std::shared_ptr<catalog>& records,
                        const store_image& files) {
  auto done = try_to_read(config, records, files, access::write);
  if (done.refused)
    throw std::runtime_error{to_string(*done.refused)};
  return std::move(done.found);
}

bool names(const error& why, const std::string& path, std::uint64_t offset) {
  return why.context.find(path) != std::string::npos
         && why.context.find(fmt::format(" byte {}", offset))
              != std::string::npos;
}

bool tells(const store_reading& found, const std::string& path,
           std::uint64_t offset) {
  return std::any_of(found.damages.begin(), found.damages.end(),
                     [&](const auto& damage) {
                       return damage.file == path && damage.offset == offset;
                     });
}

} // namespace torpor::test
