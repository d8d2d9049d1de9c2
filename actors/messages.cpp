// SPDX-License-Identifier: Apache-2.0
#include "torpor/messages.hpp"

namespace torpor {

void dropped(std::unique_ptr<write_batch> batch) {
  batch->fail_all({errc::shut_down, "the runtime is stopping"});
  write_batch::finish(std::move(batch));
}

void dropped(std::unique_ptr<read_request> request) {
  request->sink->done(fail(errc::shut_down, "the runtime is stopping"));
}

} // namespace torpor
