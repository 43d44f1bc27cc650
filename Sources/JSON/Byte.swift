/// The bytes JSON's grammar is made of.
@usableFromInline
enum Byte {
    @inlinable @inline(__always) static var tab: UInt8 { 0x09 }
    @inlinable @inline(__always) static var newline: UInt8 { 0x0A }
    @inlinable @inline(__always) static var carriageReturn: UInt8 { 0x0D }
    @inlinable @inline(__always) static var space: UInt8 { 0x20 }
    @inlinable @inline(__always) static var quote: UInt8 { 0x22 }
    @inlinable @inline(__always) static var plus: UInt8 { 0x2B }
    @inlinable @inline(__always) static var comma: UInt8 { 0x2C }
    @inlinable @inline(__always) static var minus: UInt8 { 0x2D }
    @inlinable @inline(__always) static var point: UInt8 { 0x2E }
    @inlinable @inline(__always) static var zero: UInt8 { 0x30 }
    @inlinable @inline(__always) static var colon: UInt8 { 0x3A }
    @inlinable @inline(__always) static var leftBracket: UInt8 { 0x5B }
    @inlinable @inline(__always) static var backslash: UInt8 { 0x5C }
    @inlinable @inline(__always) static var rightBracket: UInt8 { 0x5D }
    @inlinable @inline(__always) static var leftBrace: UInt8 { 0x7B }
    @inlinable @inline(__always) static var rightBrace: UInt8 { 0x7D }
}
