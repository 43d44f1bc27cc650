// PMConfig
