// PMCommands
