"""Video2EMG (sections 4.3, 8.3): how strongly each muscle works, told from video or pose."""
