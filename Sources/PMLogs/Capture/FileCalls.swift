import Glibc
import PMSystem

/// The system calls of logs that PMSystem does not have: they throw `SystemError` and go on after a signal.
enum FileCalls {
    /// Writes from the start of the bytes and returns how many went out, at least one.
    static func write(_ bytes: UnsafeRawBufferPointer, to file: borrowing OwnedFD, _ path: String)
        throws(SystemError) -> Int
    {
        let number = file.raw
        return try retried("write", path) { Glibc.write(number, bytes.baseAddress, bytes.count) }
    }

    /// Writes at an offset and returns how many bytes went out, at least one.
    static func write(_ bytes: UnsafeRawBufferPointer, to file: borrowing OwnedFD, at offset: Int, _ path: String)
        throws(SystemError) -> Int
    {
        let number = file.raw
        return try retried("write", path) { pwrite(number, bytes.baseAddress, bytes.count, off_t(offset)) }
    }

    /// Reads at an offset; 0 at the end of the file.
    static func read(_ file: borrowing OwnedFD, at offset: Int, into buffer: UnsafeMutableRawBufferPointer)
        throws(SystemError) -> Int
    {
        try read(file.raw, at: offset, into: buffer)
    }

    /// The same for a descriptor that somebody else keeps open.
    static func read(_ number: Int32, at offset: Int, into buffer: UnsafeMutableRawBufferPointer)
        throws(SystemError) -> Int
    {
        try retried("read", "") { pread(number, buffer.baseAddress, buffer.count, off_t(offset)) }
    }

    static func truncate(_ file: borrowing OwnedFD, to size: Int, _ path: String) throws(SystemError) {
        let number = file.raw
        _ = try retried("truncate", path) { ftruncate(number, off_t(size)) }
    }

    private static func retried<T: SignedInteger>(_ operation: String, _ object: String, _ call: () -> T)
        throws(SystemError) -> T
    {
        while true {
            let value = call()
            if value != -1 { return value }
            let code = errno
            if code != EINTR { throw SystemError(operation, object, code: code) }
        }
    }
}
