import PMModel

/// The part of one program's output that can still change: the row being written, and above it as many rows as the
/// program has gone back up to. Rows that can no longer change leave through `outbox`.
struct PrefixerScreen {
    /// More rows than this are not drawn over, as if they had scrolled off a terminal.
    private static let mostRows = 100
    private static let mostColumns = 2000
    private static let tabWidth = 8
    /// More lines than any screen has rows.
    private static let mostHiddenRows = 200

    /// Rows that are done, oldest first.
    var outbox: [PrefixerRow] = []
    /// Rows done before that the program went back up to, since this was last set to 0.
    var reclaimedRows = 0
    private(set) var rows: [PrefixerRow]
    private var cursor = (row: 0, column: 0)
    private var saved = (row: 0, column: 0)
    /// The look of what comes next: SGR parameters since the last reset.
    private(set) var look: [UInt8] = []
    /// Rows from this one on are below what the program went back up to: text in them ends the drawing over.
    private var firstRowBelow = 1
    private var history = PrefixerHistory()
    private var hasCleared = false
    /// Rows on the alternate screen since the last cursor movement there; nil when the program is not there.
    private var hidden: [PrefixerRow]?
    /// The time of what is being applied.
    private var now: WallTime

    init(at time: WallTime) {
        now = time
        rows = [PrefixerRow(at: time)]
    }

    /// True when nothing waits here, and the next byte begins a row.
    var isIdle: Bool { rows.count == 1 && rows[0].isEmpty && cursor.column == 0 && hidden == nil }

    /// True when the program draws over earlier output, or may be about to.
    var isRedrawing: Bool { rows.count > 1 || rows[0].isRedrawn || rows[0].hasReturned }

    /// The rows that a terminal would show now.
    var visibleRows: ArraySlice<PrefixerRow> {
        rows.last?.isEmpty == true ? rows.dropLast() : rows[...]
    }

    /// Notes a row that went out without passing through here.
    mutating func remember(_ line: some Sequence<UInt8>, look: [UInt8]?) {
        history.append(line)
        rows[0].hasReturned = false
        if let look { self.look = look }
    }

    /// Changes rows in place, to note how far they have been shown.
    mutating func updateRows(_ body: (inout PrefixerRow) -> Void) {
        for place in rows.indices { body(&rows[place]) }
    }

    mutating func apply(_ action: PrefixerAction, at time: WallTime) {
        now = time
        guard hidden == nil else { return applyHidden(action) }
        switch action {
        case .glyph(let glyph): put(glyph)
        case .combining(let scalar): rows[cursor.row].combine(scalar, before: cursor.column)
        case .lineFeed: lineFeed()
        case .tab: tab()
        case .carriageReturn, .backspace, .up, .down, .forward, .back, .column, .place, .saveCursor, .restoreCursor:
            move(action)
        case .eraseInRow, .eraseOnScreen, .blank, .delete: erase(action)
        case .look(let parameters): look = PrefixerLook.adding(parameters, to: look)
        case .enterAlternateScreen: enterAlternateScreen()
        case .leaveAlternateScreen: break
        }
    }

    /// Lets go of everything: what is unfinished counts as done.
    mutating func finish() {
        settle(upTo: visibleRows.count)
        (cursor, firstRowBelow) = ((0, 0), 1)
        hidden = nil
        look = []
    }

    // MARK: writing

    private mutating func put(_ glyph: PrefixerGlyph) {
        settleIfBelow()
        guard cursor.column < Self.mostColumns else { return wrap(glyph) }
        if rows[cursor.row].isEmpty { rows[cursor.row].time = now }
        cursor.column = rows[cursor.row].put(glyph, at: cursor.column, look)
    }

    /// At the end of a row a tab is kept, so that the line comes out as written; elsewhere it only moves.
    private mutating func tab() {
        let stop = (cursor.column / Self.tabWidth + 1) * Self.tabWidth
        if cursor.column == rows[cursor.row].cells.count {
            put(.tab(width: stop - cursor.column))
        } else {
            moveColumn(to: stop)
        }
    }

    /// A row without end is cut, so that memory stays bounded.
    private mutating func wrap(_ glyph: PrefixerGlyph) {
        lineFeed()
        put(glyph)
    }

    private mutating func lineFeed() {
        settleIfBelow()
        cursor.column = 0
        if cursor.row + 1 < rows.count {
            cursor.row += 1
        } else if rows.count == 1 {
            settle(upTo: 1)
        } else {
            cursor.row += 1
            rows.append(PrefixerRow(at: now))
        }
    }

    /// Text below the rows that the program went back up to: those are done.
    private mutating func settleIfBelow() {
        if cursor.row >= firstRowBelow { settle(upTo: cursor.row) }
    }

    private mutating func settle(upTo end: Int) {
        for row in rows[..<end] {
            history.append(row.rendered(hasColour: true))
            outbox.append(row)
        }
        rows.removeFirst(end)
        if rows.isEmpty { rows = [PrefixerRow(at: now)] }
        cursor.row = max(0, cursor.row - end)
        firstRowBelow = max(1, firstRowBelow - end)
    }

    private mutating func enterAlternateScreen() {
        finish()
        hidden = [PrefixerRow(at: now)]
        var row = PrefixerRow(at: now)
        var column = 0
        for byte in "(full-screen output is not shown here)".utf8 {
            column = row.put(PrefixerGlyph(byte), at: column, [])
        }
        outbox.append(row)
    }

    /// Nothing of the alternate screen is shown. But more lines without a movement than a screen has rows come from a
    /// program that went there and ended, or never meant it: these lines are shown, and all that follow.
    private mutating func applyHidden(_ action: PrefixerAction) {
        switch action {
        case .glyph(let glyph): putHidden(glyph)
        case .tab: putHidden(.tab(width: Self.tabWidth))
        case .combining(let scalar): changeHidden { $0.combine(scalar, before: Self.mostColumns) }
        case .lineFeed: hiddenLineFeed()
        case .look(let parameters): look = PrefixerLook.adding(parameters, to: look)
        case .leaveAlternateScreen: hidden = nil
        case .carriageReturn: break
        case .backspace, .up, .down, .forward, .back, .column, .place, .saveCursor, .restoreCursor, .eraseInRow,
            .eraseOnScreen, .blank, .delete, .enterAlternateScreen:
            hidden = [PrefixerRow(at: now)]
        }
    }

    private mutating func putHidden(_ glyph: PrefixerGlyph) {
        let look = look
        changeHidden { row in
            if row.cells.count < Self.mostColumns { _ = row.put(glyph, at: row.cells.count, look) }
        }
    }

    private mutating func changeHidden(_ body: (inout PrefixerRow) -> Void) {
        guard var rows = hidden, var row = rows.popLast() else { return }
        hidden = nil
        body(&row)
        rows.append(row)
        hidden = rows
    }

    private mutating func hiddenLineFeed() {
        hidden?.append(PrefixerRow(at: now))
        guard let rows = hidden, rows.count > Self.mostHiddenRows else { return }
        hidden = nil
        self.rows = rows
        settle(upTo: rows.count - 1)
        cursor = (0, 0)
    }

    // MARK: moving

    private mutating func move(_ action: PrefixerAction) {
        switch action {
        case .carriageReturn:
            cursor.column = 0
            rows[cursor.row].hasReturned = true
        case .backspace: moveColumn(to: cursor.column - 1)
        case .forward(let count): moveColumn(to: cursor.column + count)
        case .back(let count): moveColumn(to: cursor.column - count)
        case .column(let column): moveColumn(to: column)
        case .up(let count): up(count)
        case .down(let count): cursor.row = min(rows.count - 1, cursor.row + count)
        case .place(let row, let column): place(row, column)
        case .saveCursor: saved = cursor
        case .restoreCursor: cursor = (min(saved.row, rows.count - 1), saved.column)
        case .glyph, .combining, .lineFeed, .tab, .eraseInRow, .eraseOnScreen, .blank, .delete, .look,
            .enterAlternateScreen, .leaveAlternateScreen:
            break  // not movements
        }
    }

    private mutating func moveColumn(to column: Int) {
        cursor.column = min(max(0, column), Self.mostColumns)
    }

    private mutating func up(_ count: Int) {
        let missing = min(count - cursor.row, Self.mostRows - rows.count)
        if missing > 0 { reclaim(missing) }
        cursor.row = max(0, cursor.row - count)
    }

    /// A place on the screen counts from where the program last cleared it; without that nobody knows where it is.
    private mutating func place(_ row: Int, _ column: Int) {
        if hasCleared {
            up(Self.mostRows)
            while rows.count <= row && rows.count < Self.mostRows { rows.append(PrefixerRow(at: now)) }
            cursor.row = min(row, rows.count - 1)
            firstRowBelow = max(firstRowBelow, rows.count)
        }
        moveColumn(to: column)
    }

    private mutating func reclaim(_ wanted: Int) {
        let lines = history.takeLast(wanted)
        guard !lines.isEmpty || rows.count > 1 else { return }
        if rows.count == 1 { firstRowBelow = rows[0].isEmpty ? 0 : 1 }
        rows.insert(contentsOf: lines.map { Self.row($0, at: now) }, at: 0)
        cursor.row += lines.count
        saved.row += lines.count
        firstRowBelow += lines.count
        reclaimedRows += lines.count
    }

    /// Makes a row of a line that was shown before.
    private static func row(_ line: [UInt8], at time: WallTime) -> PrefixerRow {
        var (parser, actions) = (PrefixerParser(), [PrefixerAction]())
        for byte in line { parser.feed(byte, &actions) }
        var row = PrefixerRow(at: time)
        var (column, look) = (0, [UInt8]())
        for action in actions {
            switch action {
            case .glyph(let glyph): column = row.put(glyph, at: column, look)
            case .combining(let scalar): row.combine(scalar, before: column)
            case .tab: column = row.put(.tab(width: tabWidth - column % tabWidth), at: column, look)
            case .look(let parameters): look = PrefixerLook.adding(parameters, to: look)
            default: break  // a line that is done holds nothing else
            }
        }
        row.shownWhole = row.rendered(hasColour: true)
        return row
    }

    // MARK: erasing

    private mutating func erase(_ action: PrefixerAction) {
        switch action {
        case .eraseInRow(.after): rows[cursor.row].erase(cursor.column..<Int.max)
        case .eraseInRow(.before): rows[cursor.row].erase(0..<(cursor.column + 1))
        case .eraseInRow(.all): rows[cursor.row].erase(0..<Int.max)
        case .blank(let count): rows[cursor.row].erase(cursor.column..<(cursor.column + count))
        case .delete(let count): rows[cursor.row].delete(count, at: cursor.column)
        case .eraseOnScreen(.after): eraseBelow()
        case .eraseOnScreen(.before), .eraseOnScreen(.all): clear()
        case .glyph, .combining, .lineFeed, .tab, .carriageReturn, .backspace, .up, .down, .forward, .back, .column,
            .place, .saveCursor, .restoreCursor, .look, .enterAlternateScreen, .leaveAlternateScreen:
            break  // nothing is erased
        }
    }

    private mutating func eraseBelow() {
        rows[cursor.row].erase(cursor.column..<Int.max)
        rows.removeLast(rows.count - cursor.row - 1)
        firstRowBelow = min(firstRowBelow, max(1, rows.count))
    }

    /// A cleared screen begins again below what was shown: what others wrote is not theirs to clear.
    private mutating func clear() {
        settle(upTo: visibleRows.count)
        history = PrefixerHistory()
        hasCleared = true
        (cursor, firstRowBelow) = ((0, 0), 1)
    }
}
