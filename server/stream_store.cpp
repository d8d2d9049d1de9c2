// SPDX-License-Identifier: Apache-2.0
#include "server/stream_store.hpp"

#include "actors/engine.hpp"
#include "actors/inquiry.hpp"
#include "server/io_loop.hpp"

#include <utility>

namespace torpor {

namespace {

/// Calls on a loop's thread with a value that can only be moved.
template <class T>
void post(io_loop& loop, std::function<void(T)> done, T value) {
  loop.post([done = std::move(done), value = std::make_shared<T>(std::move(
                                       value))] { done(std::move(*value)); });
}

/// Brings a batch back, then dies.
class batch_return final : public write_sink {
public:
  batch_return(io_loop& loop, stream_store::write_done then)
    : loop_(loop),
      then_(std::move(then)) {}

  void done(std::unique_ptr<write_batch> batch) override {
    const std::unique_ptr<batch_return> last{this};
    post(loop_, std::move(then_), std::move(batch));
  }

private:
  io_loop& loop_;
  stream_store::write_done then_;
};

class page_return final : public read_sink {
public:
  page_return(io_loop& loop, stream_store::read_done then)
    : loop_(loop),
      then_(std::move(then)) {}

  void done(result<read_page> page) override {
    post(loop_, std::move(then_), std::move(page));
  }

private:
  io_loop& loop_;
  stream_store::read_done then_;
};

} // namespace

engine_store::engine_store(std::shared_ptr<torpor::engine> engine,
                           io_loop& loop)
  : engine_(std::move(engine)),
    loop_(loop) {}

std::uint32_t engine_store::shard(std::string_view name) const {
  return engine_->shard({{}, name});
}

std::uint32_t engine_store::shards() const {
  return engine_->shards();
}

void engine_store::write(std::uint32_t shard,
                         std::unique_ptr<write_batch> batch, write_done done) {
  batch->sink(std::make_unique<batch_return>(loop_, std::move(done)).release());
  engine_->submit(shard, std::move(batch));
}

void engine_store::read(std::unique_ptr<read_request> request, read_done done) {
  request->sink = std::make_unique<page_return>(loop_, std::move(done));
  engine_->submit(std::move(request));
}

void engine_store::cancel(stream_id stream, std::uint64_t ticket) {
  engine_->cancel({stream, {}}, ticket);
}

void engine_store::info(std::string name, info_done done) {
  inform(*engine_, {{}, name},
         [this, done = std::move(done)](result<stream_info> info) {
           post(loop_, done, std::move(info));
         });
}

void engine_store::fork(fork_request request, fork_done done) {
  torpor::fork(*engine_, std::move(request),
               [this, done = std::move(done)](result<write_outcome> made) {
                 post(loop_, done, std::move(made));
               });
}

} // namespace torpor
