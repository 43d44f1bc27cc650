import PMModel

/// One program whose output is prefixed.
struct PrefixerSource {
    let name: String
    let colour: PrefixerColour?
    let prefix: [UInt8]
    /// Columns that the prefix takes.
    let prefixWidth: Int
    var parser = PrefixerParser()
    var screen: PrefixerScreen
    /// True while it has output that is not shown yet.
    var isHeld = false
    /// True while its unfinished rows are in the live region of the terminal.
    var isLive = false
    /// When its screen last changed.
    var lastChange: WallTime

    init(_ name: String, _ colour: PrefixerColour?) {
        self.name = name
        self.colour = colour
        // A name with control characters must not drive the terminal.
        let shown = name.unicodeScalars.filter { PrefixerGlyph.width(of: $0) > 0 }
        let text = "[" + String(String.UnicodeScalarView(shown)) + "]"
        var bytes: [UInt8] = []
        if let colour { PrefixerBytes.appendLook(Array(String(colour.rawValue).utf8), to: &bytes) }
        bytes += text.utf8
        if colour != nil { bytes += PrefixerBytes.plainLook }
        prefix = bytes + [UInt8(ascii: " ")]
        prefixWidth = shown.reduce(3) { $0 + Int(PrefixerGlyph.width(of: $1)) }
        lastChange = WallTime(nanoseconds: 0)
        screen = PrefixerScreen(at: lastChange)
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
