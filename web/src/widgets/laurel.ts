// All widgets in one file.
import "./leaderboard.js";
import "./rank.js";
import "./streak.js";
