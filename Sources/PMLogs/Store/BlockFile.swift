import Glibc
import PMSystem

/// Reads a file block by block and keeps the last block; no descriptor stays open between reads.
struct BlockFile {
    static let blockSize = 65536

    let path: String
    /// Bytes of the file when it was looked at first; what is appended later is not seen.
    let size: Int
    private var block: [UInt8] = []
    private var number = -1

    /// Looks at a file; nil when there is none.
    init?(_ path: String) throws(SystemError) {
        guard let status = try Files.status(path) else { return nil }
        self.path = path
        size = Int(status.size)
    }

    /// The longest run of bytes from `start` on that lies in one block and before `end`.
    ///
    /// - Throws: `SystemError`, ENOENT when the file has been removed and the block is not at hand.
    mutating func head(of range: Range<Int>) throws(SystemError) -> ArraySlice<UInt8> {
        try load(range.lowerBound / Self.blockSize)
        let origin = number * Self.blockSize
        let end = min(range.upperBound - origin, block.count)
        return block[min(range.lowerBound - origin, end)..<end]
    }

    /// The longest run of bytes up to `end` that lies in one block and not before `start`.
    mutating func tail(of range: Range<Int>) throws(SystemError) -> ArraySlice<UInt8> {
        try load((range.upperBound - 1) / Self.blockSize)
        let origin = number * Self.blockSize
        let end = min(range.upperBound - origin, block.count)
        return block[min(max(range.lowerBound - origin, 0), end)..<end]
    }

    private mutating func load(_ wanted: Int) throws(SystemError) {
        guard wanted != number else { return }
        let file = try OwnedFD.open(path, O_RDONLY)
        let start = wanted * Self.blockSize
        var bytes = [UInt8](repeating: 0, count: max(0, min(Self.blockSize, size - start)))
        var done = 0
        while done < bytes.count {
            let count = try bytes.withUnsafeMutableBufferPointer { (all) throws(SystemError) in
                let rest = UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(all)[done...])
                return try FileCalls.read(file, at: start + done, into: rest)
            }
            // Shorter than it was: somebody truncated it. What is there counts.
            if count == 0 { break }
            done += count
        }
        bytes.removeLast(bytes.count - done)
        (block, number) = (bytes, wanted)
    }
}
