/// Why a text is not JSON, and where.
public struct JSONError: Error, Equatable, Sendable {
    /// The fault or the expected text there, such as "expected ',' or '}'".
    public let reason: String
    /// The place in bytes from the start.
    public let offset: Int
    /// The line, from 1.
    public let line: Int
    /// The column in characters (Unicode scalars), from 1.
    public let column: Int

    /// Makes an error at `offset` bytes into `bytes`; line and column are counted here.
    public init(_ reason: String, at offset: Int, in bytes: UnsafeRawBufferPointer) {
        let position = JSONPosition(offset: offset, in: bytes)
        self.reason = reason
        self.offset = offset
        self.line = position.line
        self.column = position.column
    }
}

extension JSONError: CustomStringConvertible {
    /// For people: "line 3, column 7: expected ',' or '}'".
    public var description: String { "line \(line), column \(column): \(reason)" }
}

/// A place in a text as editors count it.
public struct JSONPosition: Equatable, Sendable {
    /// The line, from 1.
    public let line: Int
    /// The column in characters (Unicode scalars), from 1.
    public let column: Int

    /// Counts lines (ended by `\n`) and columns up to `offset` bytes.
    public init(offset: Int, in bytes: UnsafeRawBufferPointer) {
        var line = 1
        var column = 1
        for byte in bytes.prefix(offset) {
            if byte == Byte.newline {
                line += 1
                column = 1
            } else if byte & 0xC0 != 0x80 {
                // Bytes 10xxxxxx continue a character and take no column.
                column += 1
            }
        }
        self.line = line
        self.column = column
    }
}
