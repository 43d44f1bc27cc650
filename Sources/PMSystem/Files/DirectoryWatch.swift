internal import Glibc

/// Tells that something in a directory was made, replaced or removed (inotify(7)); non-blocking. What it was is to be looked
/// up: events that are lost then do no harm.
public struct DirectoryWatch: ~Copyable, Sendable {
    private let descriptor: OwnedFD

    /// A watch of nothing yet.
    ///
    /// - Throws: `SystemError` with operation `inotify_init`; EMFILE when the user has too many.
    public init() throws(SystemError) {
        let flags = Int32(IN_CLOEXEC | IN_NONBLOCK)
        descriptor = OwnedFD(owning: try valueOrError("inotify_init") { inotify_init1(flags) })
    }

    /// The number to poll: it is readable when there is something to look up.
    public var raw: Int32 { descriptor.raw }

    /// Watches one more directory; one that is watched already stays so.
    ///
    /// - Throws: `SystemError` with operation `watch`; ENOENT when it is not there.
    public func add(_ directory: String) throws(SystemError) {
        let mask = UInt32(IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_DELETE_SELF | IN_CLOSE_WRITE)
        _ = try valueOrError("watch", directory) {
            inotify_add_watch(descriptor.raw, directory, mask | UInt32(IN_ONLYDIR))
        }
    }

    /// Watches one file, for its removal or a move.
    ///
    /// - Throws: `SystemError` with operation `watch`; ENOENT when it is not there.
    public func addFile(_ path: String) throws(SystemError) {
        // An open file, or a socket that a program has, is not deleted yet when its name is: its link count changes.
        let mask = UInt32(IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_DONT_FOLLOW)
        _ = try valueOrError("watch", path) { inotify_add_watch(descriptor.raw, path, mask) }
    }

    /// Watches one file, for a new content too.
    ///
    /// - Throws: `SystemError` with operation `watch`; ENOENT when it is not there.
    public func addContent(of path: String) throws(SystemError) {
        let mask = UInt32(IN_CLOSE_WRITE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF)
        _ = try valueOrError("watch", path) { inotify_add_watch(descriptor.raw, path, mask) }
    }

    /// Watches one directory for its own removal or move; what happens in it does not count.
    ///
    /// - Throws: `SystemError` with operation `watch`; ENOENT when it is not there.
    public func addPlace(of directory: String) throws(SystemError) {
        let mask = UInt32(IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)
        _ = try valueOrError("watch", directory) { inotify_add_watch(descriptor.raw, directory, mask) }
    }

    /// Takes what was told; the caller looks up what has changed after that.
    public func drain() {
        var buffer = [UInt8](repeating: 0, count: 4096)
        // Non-blocking: it ends with EAGAIN.
        while read(descriptor.raw, &buffer, buffer.count) > 0 {}
    }
}
