// SPDX-License-Identifier: Apache-2.0
// A server that only speaks HTTP, in the shape that Beast's users give theirs: a
// session with its own buffer, timer and strand per connection. It answers 204
// to everything. What it reaches is the yardstick for torpord (docs/bench.md).
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/strand.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using beast::error_code;

class session : public std::enable_shared_from_this<session> {
public:
  explicit session(tcp::socket socket) : stream_(std::move(socket)) {}

  void read() {
    request_ = {};
    stream_.expires_after(std::chrono::seconds{30});
    http::async_read(stream_, buffer_, request_,
                     [self = shared_from_this()](error_code failure,
                                                 std::size_t) {
                       if (!failure)
                         self->answer();
                     });
  }

private:
  void answer() {
    answer_ = {http::status::no_content, request_.version()};
    answer_.keep_alive(request_.keep_alive());
    answer_.prepare_payload();
    http::async_write(stream_, answer_,
                      [self = shared_from_this()](error_code failure,
                                                  std::size_t) {
                        if (!failure && self->answer_.keep_alive())
                          self->read();
                      });
  }

  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  http::request<http::string_body> request_;
  http::response<http::empty_body> answer_;
};

void accept(asio::io_context& context, tcp::acceptor& listener) {
  listener.async_accept(asio::make_strand(context),
                        [&](error_code failure, tcp::socket socket) {
                          if (failure == asio::error::operation_aborted)
                            return;
                          if (!failure) {
                            socket.set_option(tcp::no_delay{true}, failure);
                            std::make_shared<session>(std::move(socket))->read();
                          }
                          accept(context, listener);
                        });
}

std::optional<unsigned> number(const char* text, unsigned high) {
  unsigned found = 0;
  const auto* const end = text + std::strlen(text);
  const auto [stop, failure] = std::from_chars(text, end, found);
  if (failure != std::errc{} || stop != end || found > high)
    return std::nullopt;
  return found;
}

} // namespace

int main(int argc, char** argv) {
  const auto port = argc == 3 ? number(argv[1], 65535) : std::nullopt;
  const auto threads = argc == 3 ? number(argv[2], 64) : std::nullopt;
  if (!port || !threads || *threads == 0) {
    std::fputs("usage: http_bare_server PORT THREADS\n"
               "Answers 204 to every request at 127.0.0.1. Port 0: a free "
               "one. Threads: 1 to 64.\n",
               stderr);
    return 2;
  }
  asio::io_context context{static_cast<int>(*threads)};
  error_code failure;
  tcp::acceptor listener{context};
  listener.open(tcp::v4(), failure);
  listener.set_option(asio::socket_base::reuse_address{true}, failure);
  listener.bind({asio::ip::address_v4::loopback(),
                 static_cast<unsigned short>(*port)},
                failure);
  if (!failure)
    listener.listen(4096, failure);
  if (failure) {
    std::fprintf(stderr, "http_bare_server: listen at port %u: %s\n", *port,
                 failure.message().c_str());
    return 1;
  }
  std::printf("listening port=%u\n", unsigned{listener.local_endpoint().port()});
  std::fflush(stdout);
  asio::signal_set stop{context, SIGINT, SIGTERM};
  stop.async_wait([&](error_code, int) { context.stop(); });
  accept(context, listener);
  std::vector<std::thread> others;
  for (unsigned i = 1; i < *threads; ++i)
    others.emplace_back([&] { context.run(); });
  context.run();
  for (auto& each : others)
    each.join();
  return 0;
}
