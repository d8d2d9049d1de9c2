// SPDX-License-Identifier: Apache-2.0
#include "server/http_server.hpp"

#include <boost/system/system_error.hpp>

#include <csignal>
#include <future>
#include <system_error>
#include <utility>

#include <sys/stat.h>
#include <unistd.h>

namespace torpor {

namespace {

/// The file's number; 0 when there is none.
ino_t file_number(const std::string& path) {
  struct stat found {};
  return ::lstat(path.c_str(), &found) == 0 ? found.st_ino : 0;
}

/// OpenSSL writes to sockets with write(2): a client that went away must not
/// end the process.
void block_broken_pipes() {
  sigset_t broken;
  ::sigemptyset(&broken);
  ::sigaddset(&broken, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &broken, nullptr);
}

} // namespace

http_server::http_server(const http_options& options) : shared_(options) {}

http_server::~http_server() {
  stop();
}

result<std::unique_ptr<http_server>>
http_server::start(const http_options& options,
                   const handler_factory& make_handler) {
  static const system_clock machine;
  return start(options, make_handler, machine);
}

result<std::unique_ptr<http_server>>
http_server::start(const http_options& options,
                   const handler_factory& make_handler, const clock& time) {
  if (auto valid = validate(options); !valid)
    return tl::unexpected{std::move(valid).error()};
  std::unique_ptr<http_server> made{new http_server{options}};
  if (!options.tls_certificate.empty()) {
    auto tls = open_tls(options.tls_certificate, options.tls_key);
    if (!tls)
      return tl::unexpected{std::move(tls).error()};
    made->shared_.tls = std::move(*tls);
  }
  if (auto loops = made->make_loops(time); !loops)
    return tl::unexpected{std::move(loops).error()};
  if (auto listening = made->listen(); !listening)
    return tl::unexpected{std::move(listening).error()};
  if (auto running = made->run(make_handler); !running)
    return tl::unexpected{std::move(running).error()};
  return made;
}

/// Asio throws when there are no descriptors for one.
result<void> http_server::make_loops(const clock& time) {
  try {
    for (std::uint32_t i = 0; i < shared_.options.threads; ++i)
      loops_.push_back(std::make_unique<io_loop>(time));
    return {};
  } catch (const boost::system::system_error& thrown) {
    return fail_io("start", "the loops of http.threads", thrown.code().value());
  }
}

result<void> http_server::listen() {
  const auto& options = shared_.options;
  auto tcp = listen_tcp(options.address, options.port);
  if (!tcp)
    return tl::unexpected{std::move(tcp).error()};
  port_ = port_of(*tcp);
  auto listening = listen_at(std::move(*tcp), shared_.tls != nullptr);
  if (!listening || options.socket.empty())
    return listening;
  auto local = listen_unix(options.socket);
  if (!local)
    return tl::unexpected{std::move(local).error()};
  socket_file_ = file_number(options.socket);
  return listen_at(std::move(*local), false);
}

// One listener hands the connections out in turn. With one of its own for each
// loop (SO_REUSEPORT) the kernel would spread few connections unevenly, a Unix
// socket could not be shared, and a second torpord could take the same port
// without a word.
result<void> http_server::listen_at(listening_socket socket, bool secured) {
  const auto& added = listeners_.emplace_back(std::make_unique<http_listener>(
    shared_, *loops_.front(), std::move(socket), secured,
    [this, secured](int accepted) {
      const auto chosen = next_++ % workers_.size();
      loops_[chosen]->post([worker = workers_[chosen].get(), accepted, secured] {
        worker->adopt(accepted, secured);
      });
    }));
  if (added->is_open())
    return {};
  return fail(errc::io_failed, "the system has no room for a socket that "
                               "listens; try again with less running");
}

result<void> http_server::run(const handler_factory& make_handler) {
  for (const auto& loop : loops_)
    workers_.push_back(
      std::make_unique<http_worker>(shared_, *loop, make_handler(*loop)));
  try {
    for (const auto& loop : loops_)
      threads_.emplace_back([loop = loop.get()] {
        block_broken_pipes();
        loop->run();
      });
  } catch (const std::system_error& thrown) {
    return fail_io("start", "the threads of http.threads",
                   thrown.code().value());
  }
  // Nobody comes in before there is a thread for each worker.
  loops_.front()->post([this] {
    for (const auto& listener : listeners_)
      listener->start();
  });
  return {};
}

void http_server::stop() {
  if (threads_.empty())
    return;
  // Every accepted socket has been handed on before the workers stop.
  std::promise<void> closed;
  loops_.front()->post([&] {
    remove_socket_file();
    for (const auto& listener : listeners_)
      listener->close();
    closed.set_value();
  });
  closed.get_future().wait();
  for (std::size_t i = 0; i < loops_.size(); ++i)
    loops_[i]->post([worker = workers_[i].get()] { worker->stop(); });
  for (auto& thread : threads_)
    thread.join();
  threads_.clear();
}

/// Unless another process has put its own there.
void http_server::remove_socket_file() {
  const auto& path = shared_.options.socket;
  if (socket_file_ != 0 && file_number(path) == socket_file_)
    ::unlink(path.c_str());
}

http_traffic http_server::traffic() const {
  http_traffic sum;
  for (const auto& worker : workers_) {
    const auto part = worker->traffic();
    sum.received_bytes += part.received_bytes;
    sum.sent_bytes += part.sent_bytes;
  }
  return sum;
}

} // namespace torpor
