/// The bottom of a terminal: done lines scroll up, and below them stands the live region, which is drawn over.
struct PrefixerTerminal {
    var columns: Int
    var rows: Int
    /// Rows of the live region on the screen; the cursor is in its last one.
    private var liveRows = 0
    private var shown: [[UInt8]] = []
    /// The source of the done lines right above the live region, and how many of them take one row each.
    private var above: (source: Int, rows: Int)?

    init(columns: Int, rows: Int) {
        self.columns = max(columns, 20)
        self.rows = max(rows, 4)
    }

    /// Takes done rows of a source back into the live region, as far as they are still right above it.
    mutating func reclaim(_ count: Int, of source: Int) {
        guard let above, above.source == source else { return }
        let taken = min(count, above.rows, rows - 1 - liveRows)
        guard taken > 0 else { return }
        // Without a live region the cursor stands in an empty row below the lines.
        liveRows = max(liveRows, 1) + taken
        self.above = (source, above.rows - taken)
        shown = []
    }

    /// Notes a done line: `width` is at least the columns it takes.
    mutating func noteLine(of source: Int, width: Int) {
        let fits = width <= columns
        if let above, above.source == source, fits {
            self.above = (source, min(above.rows + 1, rows))
        } else {
            above = fits ? (source, 1) : nil
        }
    }

    /// Puts done lines (each with its newline) above the live region and draws the region again if it changed.
    mutating func update(lines: [UInt8], live: [[UInt8]], into output: inout [UInt8]) {
        let live = Array(live.suffix(rows - 1))
        if liveRows == 0 && live.isEmpty {
            output += lines
            return
        }
        if lines.isEmpty && live == shown && liveRows > 0 { return }
        if liveRows > 0 {
            output.append(0x0D)
            PrefixerBytes.appendUp(liveRows - 1, to: &output)
            output += PrefixerBytes.eraseBelow
        }
        output += lines
        output += live.joined(separator: [10])
        (shown, liveRows) = (live, live.count)
    }
}
