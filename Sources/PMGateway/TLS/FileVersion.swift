import Glibc

/// The properties by which one version of a file differs from another.
struct FileVersion: Equatable {
    private let device: UInt
    private let inode: UInt
    private let size: Int
    private let seconds: Int
    private let nanoseconds: Int

    /// The version that is there now; nil when there is none, or none that can be looked at.
    init?(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        device = status.st_dev
        inode = status.st_ino
        size = status.st_size
        seconds = status.st_mtim.tv_sec
        nanoseconds = status.st_mtim.tv_nsec
    }
}

/// Why a file cannot be read, in words, and what to do when it is not for our user.
struct UnreadableFile: CustomStringConvertible {
    let description: String

    init(_ path: String, code: Int32) {
        let reason = "cannot read \(path): \(String(cString: strerror(code)))"
        guard code == EACCES else {
            description = reason
            return
        }
        description = "\(reason) (\(Self.hint(path)))"
    }

    /// The gateway of root's daemon is in a group of its own, and that group is the way.
    private static func hint(_ path: String) -> String {
        guard let name = getgrgid(getegid())?.pointee.gr_name, let user = getpwuid(geteuid())?.pointee.pw_name,
            String(cString: user) == "pm-gateway"
        else { return "user \(geteuid()) must be allowed to" }
        let group = String(cString: name)
        return
            "the gateway must be allowed to: chgrp \(group) \(path) && chmod 640 \(path), and let it enter the folder"
    }
}
