import CSystemd
import Glibc
import PMModel
import PMSystem

/// The system's journal, read through libsystemd (sd-journal(3)).
final class SystemJournal: Journal {
    private let handle: OpaquePointer

    /// Opens what this user may read of it; that may be nothing.
    ///
    /// - Throws: `SystemError`.
    init() throws(SystemError) {
        var opened: OpaquePointer?
        let result = sd_journal_open(&opened, Int32(SD_JOURNAL_LOCAL_ONLY))
        guard result >= 0, let opened else { throw SystemError("open", "the journal", code: -result) }
        handle = opened
        // Messages come whole.
        sd_journal_set_data_threshold(handle, 0)
    }

    deinit { sd_journal_close(handle) }

    var isForbidden: Bool {
        if geteuid() == 0 { return false }
        // Without a machine id there is no journal.
        guard let id = try? Files.read("/etc/machine-id", limit: 64) else { return false }
        let machine = String(decoding: id.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        let files = ["/var/log/journal", "/run/log/journal"].flatMap { root in
            ["user-\(geteuid())", "system"].map { "\(root)/\(machine)/\($0).journal" }
        }
        let there = files.filter { access($0, F_OK) == 0 }
        return !there.isEmpty && !there.contains { access($0, R_OK) == 0 }
    }

    // MARK: what is wanted

    func match(_ field: String, _ value: String) throws(SystemError) {
        let bytes = Array("\(field)=\(value)".utf8)
        try check("match \(field) in", sd_journal_add_match(handle, bytes, bytes.count))
    }

    // MARK: moving

    func seekTail() throws(SystemError) { try check("read", sd_journal_seek_tail(handle)) }

    func seek(to time: WallTime) throws(SystemError) {
        let microseconds = UInt64(max(0, time.nanoseconds / 1000))
        try check("read", sd_journal_seek_realtime_usec(handle, microseconds))
    }

    func seek(behind cursor: String) throws(SystemError) -> Bool {
        try check("read", sd_journal_seek_cursor(handle, cursor))
        guard try next() else { return false }
        // The entry itself need not be one of those that are wanted, or may be gone: then this is the first behind it.
        return try check("read", sd_journal_test_cursor(handle, cursor)) == 0
    }

    func next() throws(SystemError) -> Bool { try check("read", sd_journal_next(handle)) > 0 }

    func previous() throws(SystemError) -> Bool { try check("read", sd_journal_previous(handle)) > 0 }

    // MARK: the entry

    var cursor: String? {
        var text: UnsafeMutablePointer<CChar>?
        guard sd_journal_get_cursor(handle, &text) >= 0, let text else { return nil }
        defer { free(text) }
        return String(cString: text)
    }

    var time: WallTime {
        var microseconds: UInt64 = 0
        sd_journal_get_realtime_usec(handle, &microseconds)
        return WallTime(nanoseconds: Int64(clamping: microseconds) * 1000)
    }

    func bytes(_ field: String) -> [UInt8]? {
        var data: UnsafeRawPointer?
        var size = 0
        guard sd_journal_get_data(handle, field, &data, &size) >= 0, let data else { return nil }
        let skipped = field.utf8.count + 1
        return size < skipped ? nil : Array(UnsafeRawBufferPointer(start: data + skipped, count: size - skipped))
    }

    // MARK: following

    func wait(or other: Int32, orClosed output: Int32) throws(SystemError) -> JournalWait {
        var entries = [
            pollfd(fd: try check("follow", sd_journal_get_fd(handle)), events: 0, revents: 0),
            pollfd(fd: other, events: Int16(POLLIN), revents: 0),
            // Nobody reads any more: that is an error of the writing end, whatever is asked for.
            pollfd(fd: output, events: 0, revents: 0),
        ]
        entries[0].events = Int16(try check("follow", sd_journal_get_events(handle)))
        var limit = UInt64.max
        sd_journal_get_timeout(handle, &limit)
        if poll(&entries, 3, milliseconds(until: limit)) < 0 && errno != EINTR {
            throw .last("wait for", "the journal")
        }
        try check("follow", sd_journal_process(handle))
        if entries[2].revents != 0 { return .abandoned }
        return entries[1].revents != 0 ? .asked : .maybeMore
    }

    /// `limit` is on CLOCK_MONOTONIC, in microseconds.
    private func milliseconds(until limit: UInt64) -> Int32 {
        guard limit != .max else { return -1 }
        let now = SystemClock().monotonic().nanoseconds / 1000
        return limit <= now ? 0 : Int32(clamping: (limit - now) / 1000 + 1)
    }

    @discardableResult
    private func check(_ operation: String, _ result: Int32) throws(SystemError) -> Int32 {
        guard result < 0 else { return result }
        throw SystemError(operation, "the journal", code: -result)
    }
}
