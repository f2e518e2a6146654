#include "backends/os/state_files.hpp"

#include "backends/os/descriptor.hpp"
#include "backends/os/read_file.hpp"
#include "backends/os/system_error.hpp"
#include "backends/os/write_file.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <system_error>

namespace lbc {
namespace {

constexpr char const* folder = "/run/lbc";
constexpr std::size_t largest_record = std::size_t{1} << 24U; // 2^20 marks fit

SystemError file_error(std::string_view what, std::string const& path, int code) {
    bool const denied = code == EACCES || code == EPERM || code == EROFS;
    return {denied ? SystemError::Kind::permission : SystemError::Kind::failed, code,
            fmt::format("cannot {} {}: {}", what, path, errno_text(code))};
}

std::uint64_t namespace_cookie() {
    Descriptor const socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    std::uint64_t cookie = 0;
    socklen_t size = sizeof cookie;
#ifdef SO_NETNS_COOKIE
    if (socket && ::getsockopt(socket.get(), SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &size) == 0)
        return cookie;
#endif
    struct stat status{};
    return ::stat("/proc/self/ns/net", &status) == 0 ? status.st_ino : 0;
}

bool read_sysctl_line(std::string_view line, Record& record) {
    for (auto const sysctl : sysctls) {
        auto const name = title(sysctl);
        if (!line.starts_with(name) || line.size() != name.size() + 2 || line[name.size()] != ' ')
            continue;
        int const digit = line.back() - '0';
        record.sysctls[sysctl] = digit;
        return digit >= 0 && digit <= 9;
    }
    return false;
}

bool read_line(std::string_view line, Record& record) {
    constexpr std::string_view mark = "mark 0x";
    constexpr std::string_view setting = "sysctl ";
    if (line.starts_with(setting))
        return read_sysctl_line(line.substr(setting.size()), record);
    if (line == "sync")
        return record.sync = true;
    if (line == "reload")
        return record.reload = true;
    std::uint32_t value = 0;
    if (!line.starts_with(mark))
        return false;
    line.remove_prefix(mark.size());
    auto const [end, error] = std::from_chars(line.data(), line.data() + line.size(), value, 16);
    record.marks.insert(Fwmark{value});
    return error == std::errc() && end == line.data() + line.size() && value != 0;
}

} // namespace

std::string record_text(Record const& record) {
    std::string text = "lbc record 1\n";
    for (Fwmark const mark : record.marks)
        text += fmt::format("mark {}\n", mark.str());
    for (auto const& [sysctl, value] : record.sysctls)
        text += fmt::format("sysctl {} {}\n", title(sysctl), value);
    text += record.sync ? "sync\n" : "";
    text += record.reload ? "reload\n" : "";
    return text;
}

std::optional<Record> parse_record(std::string_view text) {
    Record record;
    for (bool first = true; !text.empty(); first = false) {
        auto const end = text.find('\n');
        if (end == std::string_view::npos)
            return std::nullopt;
        std::string_view const line = text.substr(0, end);
        if (first ? line != "lbc record 1" : !read_line(line, record))
            return std::nullopt;
        text.remove_prefix(end + 1);
    }
    return record;
}

std::string run_path(std::string_view name) { return fmt::format("{}/{}-{}", folder, name, namespace_cookie()); }

std::expected<void, SystemError> make_run_folder() {
    if (::mkdir(folder, 0755) == 0 || errno == EEXIST)
        return {};
    return std::unexpected(file_error("make", folder, errno));
}

std::expected<Record, SystemError> read_record_file() {
    std::string const path = run_path("record");
    auto const text = read_file(path, largest_record, O_NOFOLLOW);
    if (!text && text.error() == ENOENT)
        return Record{};
    if (!text)
        return std::unexpected(file_error("read", path, text.error()));
    auto record = parse_record(*text);
    if (!record) {
        return std::unexpected(SystemError{
            SystemError::Kind::failed, EBADMSG,
            fmt::format("{} is not a record that lbc made; remove it, and lbc knows its services by their marks alone",
                        path)});
    }
    return std::move(*record);
}

std::expected<void, SystemError> write_record_file(Record const& record) {
    std::string const path = run_path("record");
    if (record == Record{}) {
        if (::unlink(path.c_str()) == 0 || errno == ENOENT)
            return {};
        return std::unexpected(file_error("remove", path, errno));
    }
    if (auto made = make_run_folder(); !made)
        return made;
    std::string const fresh = path + ".new";
    Descriptor const file(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644));
    if (!file || !write_all(file.get(), record_text(record)) || std::rename(fresh.c_str(), path.c_str()) != 0)
        return std::unexpected(file_error("write", path, errno));
    return {};
}

} // namespace lbc
