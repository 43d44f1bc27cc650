import CPMLinux
import Glibc

/// Bytes in a descriptor (memfd_create(2)).
public enum MemoryFile {
    /// A memory file with these bytes.
    ///
    /// - Throws: `SystemError` when there is no descriptor or memory left.
    public static func make(_ bytes: [UInt8], named name: String) throws(SystemError) -> SharedFD {
        let file = SharedFD(owning: try valueOrNegated("memfd_create", name, pm_memfd_create(name)))
        try Files.write(bytes, to: file.raw, named: name)
        return file
    }

    /// Makes one to be read as the standard input of a program.
    ///
    /// - Throws: `SystemError`.
    public static func input(_ bytes: [UInt8], named name: String) throws(SystemError) -> SharedFD {
        let file = try make(bytes, named: name)
        _ = try valueOrError("lseek", name) { lseek(file.raw, 0, SEEK_SET) }
        return file
    }

    /// Writes bytes at a place of a memory file, which grows if it has to.
    ///
    /// - Throws: `SystemError`, ENOSPC without memory; some of the bytes may be written then.
    public static func write(_ bytes: [UInt8], at place: Int, to file: SharedFD) throws(SystemError) {
        var done = 0
        while done < bytes.count {
            done += try valueOrError("write", "memfd") {
                bytes.withUnsafeBytes {
                    pwrite(file.raw, $0.baseAddress.map { $0 + done }, $0.count - done, off_t(place + done))
                }
            }
        }
    }

    /// All bytes of a memory file, wherever its position is.
    ///
    /// - Throws: `SystemError` when it cannot be read.
    public static func read(_ file: SharedFD) throws(SystemError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: Int(try Files.status(of: file.raw, "memfd").size))
        var done = 0
        while done < bytes.count {
            let count = try valueOrError("read", "memfd") {
                bytes.withUnsafeMutableBytes {
                    pread(file.raw, $0.baseAddress.map { $0 + done }, $0.count - done, off_t(done))
                }
            }
            guard count > 0 else { throw SystemError("read", "memfd", code: EIO) }
            done += count
        }
        return bytes
    }
}
