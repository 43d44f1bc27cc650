public import PMModel

/// Puts `[name] ` before every line of several programs' output, so that they can be read side by side.
///
/// Pure: bytes in, bytes out. Each source (one output of one program) is a stream of its own, however it is cut into
/// chunks. What is guaranteed:
///
/// - A line is never mixed with another source's. Whole lines go out at once. An unfinished line, or half a UTF-8
///   character, is held until it ends or until the caller's deadline passes (`showHeld`, to be called some 50 ms after
///   `hasHeld` became true).
/// - On a terminal, unfinished lines that were shown stand in a live region at the bottom: lines of others go above
///   them, and they are drawn over in place when they change. On other surfaces an unfinished line is shown with its
///   prefix; if another source must print, the line is ended there and its rest gets a prefix of its own.
/// - Programs that draw over (a carriage return, backspaces, cursor movements, erasing): each source has a small
///   virtual screen of the row being written and those above it that the program moved back up to, 100 rows at most.
///   On a terminal the rows are drawn over in place, with the prefix kept and cut at the right margin. Elsewhere only
///   the last state of a row is printed: when the line ends, when the program goes on below the rows it drew over,
///   when it ends, or when it has not drawn for a second; rows that did not change are not printed again.
/// - `\r\n` is a line end. Clearing the screen clears nothing of others: the source begins again below. A screen
///   position counts from where the source last cleared the screen, and only the column of it before that.
/// - On a terminal the alternate screen (editors, top) is replaced by one line that says so, until the program leaves it
///   or writes more lines without a movement than a screen has rows. Elsewhere it counts as a cleared screen.
/// - Colours and other looks (SGR) pass, go on over line ends, and never reach a prefix or another source; without
///   `hasColour` they are removed. Titles, modes, bells and other controls are dropped. Bytes that are not UTF-8 pass.
public struct Prefixer {
    /// Names a source of this prefixer.
    public struct SourceID: Hashable, Sendable {
        let number: Int
    }

    let options: PrefixerOptions
    var sources: [PrefixerSource] = []
    /// Columns of the longest name.
    private var nameWidth = 0
    var terminal: PrefixerTerminal?
    /// The source whose unfinished line stands in the last row of a surface that cannot be drawn over.
    var openLine: Int?
    /// Done lines that are not in `shown` yet.
    var lines: [UInt8] = []
    /// The bytes for the caller.
    var shown: [UInt8] = []

    /// Makes a prefixer without sources.
    public init(_ options: PrefixerOptions = PrefixerOptions()) {
        self.options = options
        switch options.surface {
        case .lines: terminal = nil
        case .terminal(let columns, let rows): terminal = PrefixerTerminal(columns: columns, rows: rows)
        }
    }

    /// Adds a source; several may have the same name. Without a colour it gets the stable one of its name, or the next one
    /// that no other name has yet.
    /// `mark` shows where its text comes from.
    public mutating func addSource(
        _ name: String, colour: PrefixerColour? = nil, mark: PrefixerMark = .output
    ) -> SourceID {
        let colour = options.hasColour ? colour ?? freeColour(for: name) : nil
        align([name])
        sources.append(PrefixerSource(name, colour, mark, nameWidth: nameWidth))
        return SourceID(number: sources.count - 1)
    }

    /// A longer name does not move the texts of others.
    private static let widestName = 32

    /// Makes all prefixes as wide as the longest of these names and of those before.
    public mutating func align(_ names: [String]) {
        let widest = names.map(PrefixerSource.width).filter { $0 <= Self.widestName }.max() ?? 0
        guard widest > nameWidth else { return }
        nameWidth = widest
        for number in sources.indices { sources[number].pad(to: widest) }
    }

    private func freeColour(for name: String) -> PrefixerColour {
        if let known = sources.first(where: { $0.name == name })?.colour { return known }
        let stable = PrefixerColour.stable(for: name)
        let used = Set(sources.compactMap(\.colour))
        let all = PrefixerColour.allCases
        let start = all.firstIndex(of: stable) ?? 0
        return (all[start...] + all[..<start]).first { !used.contains($0) } ?? stable
    }

    /// True when something waits for `showHeld`.
    public var hasHeld: Bool { sources.contains { $0.isHeld } }

    /// Takes bytes of a source that arrived at a time, and appends what is to be shown.
    public mutating func feed(
        _ bytes: [UInt8], from source: SourceID, at time: WallTime, into output: inout [UInt8]
    ) {
        var rest = bytes[...]
        while !rest.isEmpty {
            if sources[source.number].passesPlainLines { passPlain(&rest, source.number, time) }
            let end = rest.firstIndex(of: 10).map { $0 + 1 } ?? rest.endIndex
            draw(rest[..<end], source.number, time)
            rest = rest[end...]
        }
        updateTerminal(always: false)
        output += takeShown()
    }

    /// Shows what is held; what is being drawn over waits, where it cannot be drawn over, until it has been the same
    /// for a second at `now`.
    public mutating func showHeld(at now: WallTime, into output: inout [UInt8]) {
        for number in sources.indices where sources[number].isHeld {
            if terminal != nil {
                sources[number].isLive = !sources[number].screen.isIdle
                sources[number].isHeld = false
            } else {
                showHeldLine(number, now)
            }
        }
        updateTerminal(always: true)
        output += takeShown()
    }

    /// Ends a source: its unfinished line is shown and ended. It may be fed again.
    public mutating func end(_ source: SourceID, into output: inout [UInt8]) {
        sources[source.number].finish()
        emitDone(source.number)
        closeOpenLine(of: source.number)
        updateTerminal(always: true)
        output += takeShown()
    }

    /// Shows everything that is held back, at the end of the output.
    public mutating func finish(into output: inout [UInt8]) {
        for number in sources.indices { end(SourceID(number: number), into: &output) }
    }

    /// Tells the new size of the terminal.
    public mutating func resize(columns: Int, rows: Int) {
        terminal?.columns = max(columns, 20)
        terminal?.rows = max(rows, 4)
    }

    // MARK: taking

    /// Passes whole plain lines on as they are.
    private mutating func passPlain(
        _ rest: inout ArraySlice<UInt8>, _ number: Int, _ time: WallTime
    ) {
        while let end = rest.firstIndex(of: 10) {
            var line = rest[..<end]
            if line.last == 13 { line.removeLast() }
            guard emitPlain(line, number, time) else { return }
            rest = rest[(end + 1)...]
        }
    }

    private mutating func emitPlain(
        _ line: ArraySlice<UInt8>, _ number: Int, _ time: WallTime
    ) -> Bool {
        let before = sources[number].screen.look
        let kind = PrefixerPlain.kind(of: line)
        guard kind != .other else { return false }
        closeOpenLine(of: nil)
        let start = lines.count
        lines += prefix(number, time)
        if options.hasColour && !before.isEmpty { PrefixerBytes.appendLook(before, to: &lines) }
        var look: [UInt8]?
        if case .styled(let looks) = kind {
            let after = looks.reduce(before) { PrefixerLook.adding($1, to: $0) }
            look = after
            lines += options.hasColour ? Array(line) : PrefixerPlain.withoutLooks(line)
            if options.hasColour && !after.isEmpty { lines += PrefixerBytes.plainLook }
        } else {
            lines += line
            if options.hasColour && !before.isEmpty { lines += PrefixerBytes.plainLook }
        }
        lines.append(10)
        sources[number].screen.remember(line, look: look)
        terminal?.noteLine(of: number, width: lines.count - start)
        return true
    }
}
