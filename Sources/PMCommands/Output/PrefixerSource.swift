import PMModel

/// One program whose output is prefixed.
struct PrefixerSource {
    let name: String
    let colour: PrefixerColour?
    private let mark: PrefixerMark
    private(set) var prefix: [UInt8] = []
    /// Columns that the prefix takes.
    private(set) var prefixWidth = 0
    var parser = PrefixerParser()
    var screen: PrefixerScreen
    /// True while it has output that is not shown yet.
    var isHeld = false
    /// True while its unfinished rows are in the live region of the terminal.
    var isLive = false
    /// When its screen last changed.
    var lastChange: WallTime

    init(_ name: String, _ colour: PrefixerColour?, _ mark: PrefixerMark = .output, nameWidth: Int = 0) {
        self.name = name
        self.colour = colour
        self.mark = mark
        lastChange = WallTime(nanoseconds: 0)
        screen = PrefixerScreen(at: lastChange)
        pad(to: nameWidth)
    }

    /// The columns that a name takes.
    static func width(of name: String) -> Int {
        name.unicodeScalars.reduce(0) { $0 + max(0, Int(PrefixerGlyph.width(of: $1))) }
    }

    /// Makes the prefix as wide as that of a name of so many columns.
    mutating func pad(to nameWidth: Int) {
        // A name with control characters must not drive the terminal.
        let shown = name.unicodeScalars.filter { PrefixerGlyph.width(of: $0) > 0 }
        let width = Self.width(of: name)
        let text = "[" + String(String.UnicodeScalarView(shown)) + "]"
        var bytes: [UInt8] = []
        if let colour { PrefixerBytes.appendLook(Array(String(colour.rawValue).utf8), to: &bytes) }
        bytes += text.utf8
        if colour != nil { bytes += PrefixerBytes.plainLook }
        bytes += [UInt8](repeating: UInt8(ascii: " "), count: max(0, nameWidth - width))
        mark.append(to: &bytes, isColoured: colour != nil)
        prefix = bytes
        prefixWidth = max(width, nameWidth) + 3
    }

    /// True when whole plain lines may pass without the screen, which is faster.
    var passesPlainLines: Bool { parser.isInGround && screen.isIdle }

    /// Lets go of everything that is begun.
    mutating func finish() {
        var actions: [PrefixerAction] = []
        parser.finish(&actions)
        for action in actions { screen.apply(action, at: lastChange) }
        screen.finish()
        (isHeld, isLive) = (false, false)
    }
}
