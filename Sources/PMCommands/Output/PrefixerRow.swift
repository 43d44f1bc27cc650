import PMModel

/// One row of a program's output, as a terminal would show it.
struct PrefixerRow {
    struct Cell: Equatable {
        var glyph: PrefixerGlyph
        /// Parameters of the SGR sequence that gives its look; empty for the plain one.
        var style: [UInt8]
    }

    private(set) var cells: [Cell] = []
    /// When its first byte arrived.
    var time: WallTime
    /// True when a part of the row was drawn over or erased.
    private(set) var isRedrawn = false
    /// True when the program went back to the start of the row, so that it may draw over it.
    var hasReturned = false
    /// The number of cells that were shown as the beginning of an unfinished line.
    var shownCells = 0
    /// The row as it was last shown whole.
    var shownWhole: [UInt8]?

    init(at time: WallTime) {
        self.time = time
    }

    var isEmpty: Bool { cells.isEmpty }

    /// Puts a glyph at a column and returns the column behind it.
    mutating func put(_ glyph: PrefixerGlyph, at column: Int, _ style: [UInt8]) -> Int {
        let end = column + Int(glyph.width)
        pad(to: column)
        if column < cells.count { isRedrawn = true }
        pad(to: end)
        split(at: column)
        split(at: end)
        cells[column] = Cell(glyph: glyph, style: style)
        for place in (column + 1)..<max(end, column + 1) { cells[place] = Cell(glyph: .tail, style: style) }
        return end
    }

    /// Adds a zero-width scalar to the glyph before a column.
    mutating func combine(_ scalar: Unicode.Scalar, before column: Int) {
        var place = min(column, cells.count) - 1
        while place > 0, cells[place].glyph == .tail { place -= 1 }
        if place >= 0 { cells[place].glyph.append(scalar) }
    }

    /// Blanks columns; those at the end vanish.
    mutating func erase(_ columns: Range<Int>) {
        let range = columns.clamped(to: 0..<cells.count)
        guard !range.isEmpty else { return }
        isRedrawn = true
        if range.upperBound == cells.count {
            cells.removeSubrange(range)
            return
        }
        for place in range { cells[place] = Cell(glyph: .space, style: []) }
    }

    /// Takes columns out; what is behind them moves up.
    mutating func delete(_ count: Int, at column: Int) {
        let range = (column..<(column + count)).clamped(to: 0..<cells.count)
        guard !range.isEmpty else { return }
        isRedrawn = true
        cells.removeSubrange(range)
    }

    /// The bytes that show the cells from one on, ending in the plain look. With a number of columns they are cut
    /// there, and tabs become spaces, because the prefix has moved them off the tab stops.
    func rendered(from first: Int = 0, columns: Int? = nil, hasColour: Bool) -> [UInt8] {
        var bytes: [UInt8] = []
        var style: [UInt8] = []
        var used = 0
        for cell in cells.dropFirst(first) {
            used += Int(cell.glyph.width)
            if used > columns ?? .max { break }
            if hasColour && cell.style != style {
                if !style.isEmpty { bytes += PrefixerBytes.plainLook }
                style = cell.style
                if !style.isEmpty { PrefixerBytes.appendLook(style, to: &bytes) }
            }
            if cell.glyph.isTab && columns != nil {
                bytes += [UInt8](repeating: UInt8(ascii: " "), count: Int(cell.glyph.width))
            } else {
                cell.glyph.append(to: &bytes)
            }
        }
        if !style.isEmpty { bytes += PrefixerBytes.plainLook }
        return bytes
    }

    private mutating func pad(to count: Int) {
        while cells.count < count { cells.append(Cell(glyph: .space, style: [])) }
    }

    /// A glyph of several columns of which one is drawn over leaves spaces.
    private mutating func split(at column: Int) {
        guard column > 0, column < cells.count, cells[column].glyph == .tail else { return }
        var head = column
        while head > 0, cells[head].glyph == .tail { head -= 1 }
        cells[head].glyph = .space
        var place = head + 1
        while place < cells.count, cells[place].glyph == .tail {
            cells[place].glyph = .space
            place += 1
        }
    }
}

/// Byte sequences of ECMA-48 that a prefixer writes.
enum PrefixerBytes {
    static let plainLook: [UInt8] = Array("\u{1B}[0m".utf8)
    static let eraseBelow: [UInt8] = Array("\u{1B}[J".utf8)

    static func appendLook(_ parameters: [UInt8], to bytes: inout [UInt8]) {
        bytes += [0x1B, UInt8(ascii: "[")]
        bytes += parameters
        bytes.append(UInt8(ascii: "m"))
    }

    static func appendUp(_ rows: Int, to bytes: inout [UInt8]) {
        guard rows > 0 else { return }
        bytes += Array("\u{1B}[\(rows)A".utf8)
    }
}
