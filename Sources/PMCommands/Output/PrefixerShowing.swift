import PMModel

/// Shows rows of a virtual screen on the surface.
extension Prefixer {
    /// Time in nanoseconds for which a row that is drawn over must stay the same, before it is printed on a surface
    /// that cannot draw over.
    private static let redrawQuiet: Int64 = 1_000_000_000

    /// Runs bytes through a source's screen; rows that are done go to `lines`.
    mutating func draw(
        _ bytes: ArraySlice<UInt8>, _ number: Int, _ time: WallTime
    ) {
        guard !bytes.isEmpty else { return }
        var actions: [PrefixerAction] = []
        for byte in bytes { sources[number].parser.feed(byte, &actions) }
        for action in actions {
            // On a surface that cannot be drawn over, the alternate screen is as good as any other.
            let isOnLines = terminal == nil && action == .enterAlternateScreen
            sources[number].screen.apply(isOnLines ? .eraseOnScreen(.all) : action, at: time)
            if !sources[number].screen.outbox.isEmpty { emitDone(number) }
            if sources[number].screen.reclaimedRows > 0 { reclaim(number) }
        }
        sources[number].isHeld = sources[number].isLive || !sources[number].screen.isIdle
        sources[number].lastChange = time
        if sources[number].screen.isIdle { sources[number].isLive = false }
    }

    /// Moves the rows that a source's screen has let go to `lines`.
    mutating func emitDone(_ number: Int) {
        let rows = sources[number].screen.outbox
        sources[number].screen.outbox = []
        for row in rows {
            if terminal != nil { emitWhole(row, number) } else { emitRest(row, number) }
        }
    }

    /// Shows what is new of an unfinished line, or rows that have been drawn over and then left alone.
    mutating func showHeldLine(_ number: Int, _ now: WallTime) {
        let screen = sources[number].screen
        if screen.isRedrawing {
            guard now.nanoseconds &- sources[number].lastChange.nanoseconds >= Self.redrawQuiet else { return }
            for row in screen.visibleRows where isNews(row) { emitWhole(row, number) }
            sources[number].screen.updateRows { $0.shownWhole = $0.rendered(hasColour: true) }
        } else if let row = screen.rows.first, row.shownCells < row.cells.count {
            if openLine != number {
                closeOpenLine(of: nil)
                lines += prefix(number, row.time)
            }
            lines += row.rendered(from: row.shownCells, hasColour: options.hasColour)
            openLine = number
            sources[number].screen.updateRows { $0.shownCells = $0.cells.count }
        }
        sources[number].isHeld = false
    }

    /// Ends the line that stands open at the end of the surface, of one source or of any.
    mutating func closeOpenLine(of number: Int?) {
        guard let openLine, number == nil || number == openLine else { return }
        lines.append(10)
        self.openLine = nil
    }

    /// The time, if wanted, and the name.
    func prefix(_ number: Int, _ time: WallTime) -> [UInt8] {
        let seconds: Int
        switch options.timestamps {
        case .none: return sources[number].prefix
        case .shown(let fixed): seconds = fixed
        case .local: seconds = TimeText.secondsEast(at: time)
        }
        var bytes: [UInt8] = []
        PrefixerTime.append(time, secondsEast: seconds, to: &bytes)
        bytes.append(UInt8(ascii: " "))
        return bytes + sources[number].prefix
    }

    /// Shows done lines; on a terminal above the live region. With `always` the region is brought up to date too.
    mutating func updateTerminal(always: Bool) {
        guard let columns = terminal?.columns else {
            shown += lines
            lines.removeAll(keepingCapacity: true)
            return
        }
        guard always || !lines.isEmpty else { return }
        let live = liveRows(columns)
        terminal?.update(lines: lines, live: live, into: &shown)
        lines.removeAll(keepingCapacity: true)
    }

    /// The bytes to show, once.
    mutating func takeShown() -> [UInt8] {
        var bytes: [UInt8] = []
        swap(&bytes, &shown)
        return bytes
    }

    private mutating func emitWhole(_ row: PrefixerRow, _ number: Int) {
        closeOpenLine(of: nil)
        let start = lines.count
        lines += prefix(number, row.time)
        lines += row.rendered(hasColour: options.hasColour)
        let width = lines.count - start
        terminal?.noteLine(of: number, width: width)
        lines.append(10)
    }

    /// Emits what is not shown yet of a row that is done.
    private mutating func emitRest(_ row: PrefixerRow, _ number: Int) {
        if row.isRedrawn || row.shownWhole != nil || row.shownCells == 0 {
            if isNews(row) { emitWhole(row, number) }
            return
        }
        let isOpen = openLine == number
        guard isOpen || row.shownCells < row.cells.count else { return }
        if !isOpen {
            closeOpenLine(of: nil)
            lines += prefix(number, row.time)
        }
        lines += row.rendered(from: row.shownCells, hasColour: options.hasColour)
        lines.append(10)
        openLine = nil
    }

    /// True when a row differs from its last printed state; a row that was printed and then erased does not count.
    private func isNews(_ row: PrefixerRow) -> Bool {
        guard let shown = row.shownWhole else { return true }
        return !row.isEmpty && row.rendered(hasColour: true) != shown
    }

    private mutating func reclaim(_ number: Int) {
        let count = sources[number].screen.reclaimedRows
        sources[number].screen.reclaimedRows = 0
        guard terminal != nil else { return }
        // What is counted as shown above must be there before it can be drawn over.
        updateTerminal(always: false)
        terminal?.reclaim(count, of: number)
        sources[number].isLive = true
    }

    private func liveRows(_ columns: Int) -> [[UInt8]] {
        var live: [[UInt8]] = []
        for (number, source) in sources.enumerated() where source.isLive {
            for row in source.screen.visibleRows {
                var bytes = prefix(number, row.time)
                let room = columns - source.prefixWidth - options.timestamps.width
                bytes += row.rendered(columns: max(1, room), hasColour: options.hasColour)
                live.append(bytes)
            }
        }
        return live
    }
}

extension PrefixerOptions.Timestamps {
    /// Columns that the time takes, the space behind it included.
    var width: Int {
        switch self {
        case .none: 0
        case .shown(secondsEastOfUTC: 0): 25
        case .shown, .local: 30
        }
    }
}
