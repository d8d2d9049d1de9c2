// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/fork.hpp"
#include "torpor/read.hpp"
#include "torpor/write_batch.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace torpor {

class engine;
class io_loop;

/// What the protocol asks of a store, answered on a loop's thread.
/// Threads: those of its loop.
class stream_store {
public:
  using write_done = std::function<void(std::unique_ptr<write_batch>)>;
  using read_done = std::function<void(result<read_page>)>;
  using info_done = std::function<void(result<stream_info>)>;
  using fork_done = std::function<void(result<write_outcome>)>;

  virtual ~stream_store() = default;

  /// Which shard a batch for that stream goes to, below `shards`.
  [[nodiscard]] virtual std::uint32_t shard(std::string_view name) const = 0;
  [[nodiscard]] virtual std::uint32_t shards() const = 0;

  virtual void write(std::uint32_t shard, std::unique_ptr<write_batch> batch,
                     write_done done) = 0;
  /// The request's sink is filled in.
  virtual void read(std::unique_ptr<read_request> request, read_done done) = 0;
  virtual void cancel(stream_id stream, std::uint64_t ticket) = 0;
  virtual void info(std::string name, info_done done) = 0;
  virtual void fork(fork_request request, fork_done done) = 0;
};

/// The engine as a loop's store. It and the loop have to outlive the engine's
/// actors, whose answers come until they have ended.
class engine_store final : public stream_store {
public:
  engine_store(std::shared_ptr<torpor::engine> engine, io_loop& loop);

  [[nodiscard]] std::uint32_t shard(std::string_view name) const override;
  [[nodiscard]] std::uint32_t shards() const override;
  void write(std::uint32_t shard, std::unique_ptr<write_batch> batch,
             write_done done) override;
  void read(std::unique_ptr<read_request> request, read_done done) override;
  void cancel(stream_id stream, std::uint64_t ticket) override;
  void info(std::string name, info_done done) override;
  void fork(fork_request request, fork_done done) override;

private:
  std::shared_ptr<torpor::engine> engine_;
  io_loop& loop_;
};

} // namespace torpor
