import Glibc

/// Disks by the numbers that the kernel's limits name them with.
public enum BlockDevice {
    /// `MAJOR:MINOR` of the whole disk that a path is, or lies on; a partition has no limits of its own.
    ///
    /// - Throws: `SystemError`; ENODEV for what lies on no disk: memory, a network, several disks.
    public static func number(of path: String) throws(SystemError) -> String {
        var status = stat()
        _ = try valueOrError("stat", path) { stat(path, &status) }
        let device = status.st_mode & S_IFMT == S_IFBLK ? status.st_rdev : status.st_dev
        let number = "\(major(device)):\(minor(device))"
        // What the kernel lists no disk for is none.
        guard major(device) != 0, let place = try? Files.realPath("/sys/dev/block/\(number)") else {
            throw SystemError("find the disk of", path, code: ENODEV)
        }
        // The directory of a partition lies in that of its disk.
        guard try Files.status(place + "/partition") != nil else { return number }
        let whole = place.lastIndex(of: "/").map { String(place[..<$0]) } ?? place
        let text = String(decoding: try Files.read(whole + "/dev", limit: 64), as: UTF8.self)
        return String(text.prefix { $0 != "\n" })
    }

    /// gnu_dev_major of the C library, which is a macro there.
    private static func major(_ device: dev_t) -> UInt64 {
        (UInt64(device) >> 8 & 0xFFF) | (UInt64(device) >> 32 & 0xFFFF_F000)
    }

    private static func minor(_ device: dev_t) -> UInt64 {
        (UInt64(device) & 0xFF) | (UInt64(device) >> 12 & 0xFFFF_FF00)
    }
}
