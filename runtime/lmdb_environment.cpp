// SPDX-License-Identifier: Apache-2.0
#include "runtime/lmdb_environment.hpp"

#include "runtime/lmdb_pages.hpp"
#include "runtime/posix_disk.hpp"
#include "runtime/process_limits.hpp"
#include "runtime/safety_step.hpp"

#include <cerrno>
#include <filesystem>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace torpor {

namespace {

constexpr std::size_t map_bytes_max = std::size_t{1} << 40;
constexpr std::size_t map_bytes_min = std::size_t{1} << 22;
constexpr std::uint64_t reserve_bytes = 4u << 20;
constexpr unsigned databases_max = 8;
constexpr mdb_mode_t file_mode = 0644;

/// The map costs address space and nothing else, and LMDB cannot grow it while
/// readers are at work: so as large as fits, with as much left for the rest of
/// the process where `ulimit -v` or a container bounds it.
std::size_t choose_map_bytes() {
  for (auto bytes = map_bytes_max; bytes > map_bytes_min; bytes /= 2) {
    auto* const probe = ::mmap(nullptr, 2 * bytes, PROT_NONE,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
                               0);
    if (probe != MAP_FAILED) {
      ::munmap(probe, 2 * bytes);
      return bytes;
    }
  }
  return map_bytes_min;
}

/// Whether one of LMDB's files has reached the limit of this process.
bool is_at_limit(const std::string& directory) {
  for (const auto* name : {"/data.mdb", "/data.mdb.new"}) {
    std::error_code unknown;
    const auto bytes = std::filesystem::file_size(directory + name, unknown);
    if (!unknown && bytes >= file_size_max())
      return true;
  }
  return false;
}

/// LMDB says EIO or ENOSPC when the system took only a part of a write.
int cause_of(int number, const std::string& directory) {
  struct ::statvfs volume {};
  if (::statvfs(directory.c_str(), &volume) == 0
      && volume.f_bavail * volume.f_frsize < reserve_bytes / 4)
    return ENOSPC;
  return is_at_limit(directory) ? EFBIG : number;
}

std::string_view advice(int number) {
  switch (number) {
    case MDB_MAP_FULL:
      return "full: the process may not map a larger file; nothing was "
             "changed; raise its address space limit (ulimit -v) and restart";
    case MDB_PANIC:
      return "an earlier write of LMDB's own page failed; lookups go on, "
             "updates need a restart";
    case MDB_READERS_FULL: return "too many readers at once";
    case MDB_MAP_RESIZED:
      return "the file outgrew the part this process may map; raise its "
             "address space limit (ulimit -v) and open it again";
    case MDB_INVALID:
      return "no LMDB file, or a damaged one; restore data.mdb from a copy";
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_CURSOR_FULL:
    case MDB_PAGE_FULL:
      return "its pages are damaged; restore data.mdb from a copy";
    case MDB_VERSION_MISMATCH: return "written by another version of LMDB";
    case ENOSPC: return "disk full; nothing was changed; free some space";
    case EFBIG:
      return "the process may not write a file so large; nothing was changed; "
             "raise its limit (ulimit -f)";
    default: return ::mdb_strerror(number);
  }
}

errc code_of(int number) {
  switch (number) {
    case MDB_INVALID:
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_CURSOR_FULL:
    case MDB_PAGE_FULL: return errc::corrupt;
    case MDB_VERSION_MISMATCH:
    case MDB_INCOMPATIBLE: return errc::incompatible;
    default: return errc::io_failed;
  }
}

unsigned flags_of(lmdb_access access) {
  // MDB_NOTLS: a reader belongs to its object, which moves between threads.
  // MDB_NORDAHEAD: lookups hit single pages at random.
  const unsigned always = MDB_NOTLS | MDB_NORDAHEAD
                          | (does(safety_step::catalog_sync) ? 0 : MDB_NOSYNC);
  switch (access) {
    case lmdb_access::write: return always;
    case lmdb_access::read: return always | MDB_RDONLY;
    case lmdb_access::read_unlocked: break;
  }
  return always | MDB_RDONLY | MDB_NOLOCK;
}

/// LMDB is about to end the process: it met a page that makes no sense to it.
void tell_last_words(MDB_env* env, const char* why) {
  const auto& ended
    = *static_cast<const lmdb_environment*>(::mdb_env_get_userctx(env));
  spdlog::critical("catalog-damaged file={}/data.mdb error=\"{}\" "
                   "hint=\"restore it from a copy\"",
                   ended.directory(), why);
  spdlog::default_logger_raw()->flush();
}

} // namespace

tl::unexpected<error> fail_lmdb(std::string_view call,
                                const std::string& directory, int number) {
  if (number == EIO || number == ENOSPC)
    number = cause_of(number, directory);
  return fail(code_of(number), fmt::format("catalog '{}': {}: {}", directory,
                                           call, advice(number)));
}

result<std::shared_ptr<lmdb_environment>>
lmdb_environment::open(const std::string& directory, lmdb_access access) {
  std::shared_ptr<lmdb_environment> environment{
    new lmdb_environment{directory}};
  struct ::stat status {};
  const auto path = directory + "/data.mdb";
  if (::stat(path.c_str(), &status) != 0)
    return fail_io("stat", path, errno);
  if (status.st_size == 0) // LMDB would take it for a new one.
    return fail_lmdb("open", directory, MDB_INVALID);
  return check_pages(directory, access == lmdb_access::write
                                  ? lmdb_look::free_pages
                                  : lmdb_look::end)
    .and_then([&] {
      return environment->open_file(directory, flags_of(access));
    })
    .and_then([&] {
      return access == lmdb_access::write ? environment->sync()
                                          : result<void>{};
    })
    .map([&] { return environment; });
}

result<void> lmdb_environment::create(
  const std::string& directory,
  const std::function<result<void>(lmdb_environment&)>& fill) {
  const auto path = directory + "/data.mdb";
  const auto fresh = path + ".new";
  std::error_code removed;
  std::filesystem::remove(fresh, removed); // Of a creation that broke off.
  {
    lmdb_environment environment{directory};
    const auto filled = environment.open_file(fresh, MDB_NOSUBDIR | MDB_NOLOCK)
                          .and_then([&] { return fill(environment); });
    if (!filled)
      return filled;
  }
  posix_disk disk;
  if (auto renamed = disk.rename(fresh, path); !renamed)
    return renamed;
  auto named = disk.sync_directory(directory);
  if (!named) // The name may be lost in a power cut: only a new one counts.
    static_cast<void>(disk.unlink(path));
  return named;
}

lmdb_environment::~lmdb_environment() {
  ::mdb_env_close(env_);
}

result<void> lmdb_environment::open_file(const std::string& path,
                                         unsigned flags) {
  int rc = ::mdb_env_create(&env_);
  if (rc == 0)
    rc = ::mdb_env_set_userctx(env_, this);
  if (rc == 0)
    rc = ::mdb_env_set_assert(env_, tell_last_words);
  if (rc == 0)
    rc = ::mdb_env_set_maxdbs(env_, databases_max);
  if (rc == 0)
    rc = ::mdb_env_set_maxreaders(env_, readers_max);
  if (rc == 0)
    rc = ::mdb_env_set_mapsize(env_, choose_map_bytes());
  if (rc == 0)
    rc = ::mdb_env_open(env_, path.c_str(), flags, file_mode);
  if (rc != 0)
    return fail_lmdb("open", directory_, rc);
  MDB_stat stat{};
  ::mdb_env_stat(env_, &stat);
  page_bytes_ = stat.ms_psize;
  ::fcntl(descriptor(), F_SETFD, FD_CLOEXEC); // LMDB leaves it to children.
  return {};
}

result<void> lmdb_environment::sync() {
  const int rc = ::mdb_env_sync(env_, 1);
  if (rc != 0)
    return fail_lmdb("sync", directory_, rc);
  return {};
}

void lmdb_environment::reserve() {
  const auto used = pages() * page_bytes();
  const auto bytes = file_bytes();
  if (bytes && *bytes < used + reserve_bytes / 2)
    (void)::fallocate(descriptor(), 0, 0,
                      static_cast<off_t>(used + reserve_bytes));
}

result<std::uint64_t> lmdb_environment::file_bytes() const {
  struct ::stat status {};
  if (::fstat(descriptor(), &status) != 0)
    return fail_io("fstat", directory_ + "/data.mdb", errno);
  return static_cast<std::uint64_t>(status.st_size);
}

std::uint64_t lmdb_environment::pages() const {
  MDB_envinfo info{};
  ::mdb_env_info(env_, &info);
  return info.me_last_pgno + 1;
}

int lmdb_environment::descriptor() const {
  int descriptor = -1;
  ::mdb_env_get_fd(env_, &descriptor);
  return descriptor;
}

} // namespace torpor
